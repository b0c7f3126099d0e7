/** What a provider leaves with redeemers before it stops (SPEC §15.7). Pure. */
import { toHex } from '@byway/protocol/base'
import type { StoredWinner } from '@byway/store'
import type { Candidate } from './batching.ts'
import { fatesOf, wantOf, type SlotCase } from './fate.ts'

/**
 * All that is open, also what is under way: who took it may never send it, and nobody will be there to notice. A slot that is not bound yet is bound by its first winner; the
 * claims of the others wait at the redeemer for that.
 */
export function toLeave(cases: readonly SlotCase[], winsPerSlot: number): readonly Candidate[] {
  return cases.flatMap((slot) => {
    const winners = fatesOf(slot, winsPerSlot)
      .filter(({ fate, winner }) => fate === 'open' && winner.reason === undefined)
      .map(({ winner }) => winner)
    const unlocked = { ...slot, isLockTried: true }
    if (wantOf(unlocked) !== 'bind') return [{ slot: unlocked, winners }]
    const word = { ...slot.word, state: 'bound' } as const
    return [
      { slot: unlocked, winners: winners.slice(0, 1) },
      { slot: { ...slot, word, holder: 'ours' }, winners: winners.slice(1) },
    ]
  })
}

/** Tells winners apart. */
export function winnerName({
  nullifier,
  index,
}: Pick<StoredWinner, 'nullifier' | 'index'>): string {
  return `${toHex(nullifier)}:${index}`
}
