/** The bytes of `lock` and `claimMore` (SPEC §14.8), written for the tests from the text alone. */
import { concat, type Hex, size } from 'viem'
import { uint } from './bytes.ts'
import type { Key } from './keys.ts'
import type { Slot, Terms, Ticket } from './slots.ts'

export type Win = readonly [Slot, Ticket]

/** Wins of one slot in the bytes of one slot. */
export function slotBytes(wins: readonly Win[]): Hex {
  const nullifier = wins[0]?.[0].nullifier ?? 0n
  const tickets = wins.map(([, { index, amount, reveal, nonce, signature }]) =>
    concat([uint(index, 32), uint(amount, 96), reveal, nonce, signature]),
  )
  return concat([uint(nullifier, 256), uint(wins.length, 8), ...tickets])
}

/** Slots of a batch: neighbours of one slot share its bytes. What the provider signs the hash of (SPEC §14.5). */
export function slotsBytes(wins: readonly Win[]): Hex {
  const runs: Win[][] = []
  for (const win of wins) {
    const last = runs.at(-1)
    if (last && last[0]?.[0].nullifier === win[0].nullifier) last.push(win)
    else runs.push([win])
  }
  return concat(runs.map(slotBytes))
}

/** A batch of later wins: the sender's own, or of another with its terms. */
export function claimBytes(wins: readonly Win[], provider?: Key, terms?: Terms): Hex {
  return batchBytes(slotsBytes(wins), provider, terms)
}

/** A batch of locks, the same. */
export function lockBytes(nullifiers: readonly bigint[], provider?: Key, terms?: Terms): Hex {
  return batchBytes(concat(nullifiers.map((each) => uint(each, 256))), provider, terms)
}

export function batchBytes(slots: Hex, provider?: Key, terms?: Terms): Hex {
  const length = uint(size(slots), 16)
  if (!provider || !terms) return concat([uint(0, 8), length, slots])
  const { fee, deadline, signature } = terms
  const head = [uint(1, 8), length, provider.address, uint(fee, 96), uint(deadline, 64), signature]
  return concat([...head, slots])
}
