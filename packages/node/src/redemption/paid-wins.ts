/** What the chain says was paid for each of our wins, less the fee of whoever sent it: of a win that was left with redeemers and sent by ourselves, who was first decides. */
import type { ChainView, PaidWin } from '@byway/chain'
import { equalBytes, toHex } from '@byway/protocol/base'
import type { StoredWinner } from '@byway/store'

/** What was paid for a winner, the token's smallest parts; undefined where the chain's events are too old to be found. */
export type PaidOf = (winner: StoredWinner) => bigint | undefined

/** Asks the chain about winners that it counts as paid. @throws what the chain throws */
export async function readPaid(
  chain: Pick<ChainView, 'paidFor'>,
  provider: Uint8Array,
  winners: readonly StoredWinner[],
  signal: AbortSignal,
): Promise<PaidOf> {
  if (winners.length === 0) return () => undefined
  const told = await chain.paidFor(winners, signal)
  return matchPaid(
    winners,
    told.filter((win) => equalBytes(win.provider, provider)),
  )
}

/**
 * Which payment is whose: by index, and what is left over in their order. Records that were put back to an older copy have wins under other indices than those that were paid.
 */
export function matchPaid(winners: readonly StoredWinner[], told: readonly PaidWin[]): PaidOf {
  const bySlot = Map.groupBy(told, ({ nullifier }) => toHex(nullifier))
  const paid = new Map<StoredWinner, bigint>()
  for (const [slot, some] of Map.groupBy(winners, ({ nullifier }) => toHex(nullifier))) {
    const wins = (bySlot.get(slot) ?? []).toSorted((a, b) => a.index - b.index)
    const isKnown = ({ index }: PaidWin): boolean => some.some((winner) => winner.index === index)
    const others = wins.filter((win) => !isKnown(win))
    for (const winner of some.toSorted((a, b) => a.index - b.index)) {
      const own = wins.find(({ index }) => index === winner.index) ?? others.shift()
      if (own) paid.set(winner, own.paid)
    }
  }
  return (winner) => paid.get(winner)
}
