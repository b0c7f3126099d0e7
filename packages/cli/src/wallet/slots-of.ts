/** The slots behind the purse's deposits, and where each is in its life. */
import { findDeposits, type FoundDeposit } from '@byway/purse'
import { nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { SlotState, SlotWord } from '@byway/protocol/payment'
import {
  restNullifier,
  restUnits,
  slotCount,
  slotNullifier,
  u256Bytes,
} from '@byway/protocol/ticket'
import type { Wallet } from './open-wallet.ts'

/** One slot of a deposit. */
export type WalletSlot = {
  readonly deposit: FoundDeposit
  /** Of the slot within its deposit. */
  readonly number: number
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  readonly word: SlotWord
}

export type WalletDeposit = {
  readonly deposit: FoundDeposit
  readonly slots: readonly WalletSlot[]
  /** What it holds beyond whole slots; undefined where that is nothing. */
  readonly rest: { readonly units: number; readonly state: SlotState } | undefined
}

/** Looks all of them up. Asking about slots by name tells the endpoints that they are one owner's (docs/THREAT-MODEL.md). */
export async function depositsOf(
  { purse, chain, pool }: Wallet,
  signal: AbortSignal,
): Promise<readonly WalletDeposit[]> {
  const leaves = await chain.view.leaves(0, signal)
  const { deposits } = await findDeposits(purse, leaves, nodePoseidon)
  const found: WalletDeposit[] = []
  for (const deposit of deposits) {
    const { secret } = deposit.owner
    const slots: WalletSlot[] = []
    for (let number = 0; number < slotCount(pool, deposit.limit); number++) {
      const nullifier = u256Bytes(slotNullifier(nodePoseidon, pool, secret, number))
      const word = await chain.view.slot(nullifier, signal)
      slots.push({ deposit, number, nullifier, word })
    }
    const units = restUnits(pool, deposit.limit)
    const name = u256Bytes(restNullifier(nodeTicketCrypto, secret))
    const rest = units > 0 ? { units, ...(await chain.view.slot(name, signal)) } : undefined
    found.push({ deposit, slots, rest })
  }
  return found
}

/** How many slots are in each state. */
export function countStates(slots: readonly WalletSlot[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { word } of slots) counts[word.state] = (counts[word.state] ?? 0) + 1
  return counts
}
