/** How redemption is doing, from its cases. Pure. */
import { isLate } from './batching.ts'
import { deadlineOf, fatesOf, type SlotCase, type SlotDelays } from './fate.ts'

/** How redemption is doing. */
export type RedemptionStatus = {
  /** Winners whose fate is open. */
  readonly open: number
  /** The earliest end of a lock, refund or closing with open winners, by the chain's clock. */
  readonly deadlineS: number | undefined
  readonly isChainAway: boolean
}

/** Of a chain that could be asked. `isAtRisk`: a deadline of ours is in the last quarter of its span. */
export function statusOf(
  cases: readonly SlotCase[],
  { winsPerSlot, delays }: { readonly winsPerSlot: number; readonly delays: SlotDelays },
  chainNowS: number,
): { readonly status: RedemptionStatus; readonly isAtRisk: boolean } {
  const open = cases.flatMap((slot) => {
    const fates = fatesOf(slot, winsPerSlot).filter(({ fate }) => fate === 'open')
    return fates.length === 0 ? [] : [{ slot, count: fates.length }]
  })
  const ends = open
    .map(({ slot }) => deadlineOf(slot, delays))
    .filter((deadlineS) => deadlineS !== undefined)
  const deadlineS = ends.length === 0 ? undefined : Math.min(...ends)
  const count = open.reduce((sum, one) => sum + one.count, 0)
  // Another's lock that ends is good news.
  const isAtRisk = open.some(
    ({ slot }) =>
      slot.holder !== 'other' &&
      deadlineOf(slot, delays) !== undefined &&
      isLate(slot, delays, chainNowS),
  )
  return { status: { open: count, deadlineS, isChainAway: false }, isAtRisk }
}
