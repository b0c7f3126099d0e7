/** Names of what carries winners to the chain: keys of the lane, and of hand-overs to redeemers. They are stored with each winner, so that a restart finds them again. */
import { createHash } from 'node:crypto'
import { toHex } from '@byway/protocol/base'
import type { StoredWinner } from '@byway/store'
import type { BatchKind } from './batching.ts'

/** `bind:<hash of the winners>:<time>`, or for redeemers `via-<fee>-bind:…`. */
export function carrierOf(
  kind: BatchKind,
  winners: readonly StoredWinner[],
  attempt: number,
  fee?: bigint,
): string {
  const hash = createHash('sha256')
  for (const { nullifier, index } of winners) hash.update(nullifier).update(String(index))
  const via = fee === undefined ? '' : `via-${fee}-`
  return `${via}${kind}:${toHex(hash.digest().subarray(0, 8))}:${attempt}`
}

const FORM = /^(?:via-(\d+)-)?(lock|bind|claim):/

/** What kind of batch a carrier is. */
export function kindOfCarrier(carrier: string): BatchKind | undefined {
  return FORM.exec(carrier)?.[2] as BatchKind | undefined
}

/** True for one of our own transactions. */
export function isLaneCarrier(carrier: string): boolean {
  return kindOfCarrier(carrier) !== undefined && !carrier.startsWith('via-')
}

/** What was promised to the redeemers of a carrier for each win; 0 where we send ourselves. Who was paid what, the chain says. */
export function promisedFeeOf(carrier: string | undefined): bigint {
  return BigInt(FORM.exec(carrier ?? '')?.[1] ?? 0)
}
