/** Takes in descriptors of somebody who has judged them before, and so can have none that is forged (SPEC §10.2). @module */
import type { DescriptorSet } from './descriptor-set.ts'

/**
 * Offers descriptors in turn, up to the first that is malformed or not signed by its node. One that is refused for its dates, its stake or its number may have been right
 * where it comes from.
 * @returns false when one was forged: an honest node passes none on
 */
export function offerUntilForged(
  set: Pick<DescriptorSet, 'offer'>,
  descriptors: Iterable<Uint8Array>,
  nowMs: number,
): boolean {
  for (const bytes of descriptors) {
    const offered = set.offer(bytes, nowMs)
    if (offered.result !== 'refused') continue
    if (offered.reason === 'MALFORMED' || offered.reason === 'SIGNATURE') return false
  }
  return true
}
