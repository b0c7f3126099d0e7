/** The slots behind the purse's deposits, and where each is in its life. */
import { findDeposits, type FoundDeposit } from '@byway/purse'
import { nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { SlotState } from '@byway/protocol/payment'
import {
  restNullifier,
  restUnits,
  slotCount,
  slotNullifier,
  u256Bytes,
} from '@byway/protocol/ticket'
import type { Wallet } from './open-wallet.ts'
import { readSlotStories, type SlotStory } from './slot-stories.ts'

/** One slot of a deposit. */
export type WalletSlot = {
  readonly deposit: FoundDeposit
  /** Of the slot within its deposit. */
  readonly number: number
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  readonly state: SlotState
}

/** The same, with what became of it on the chain. */
export type ToldSlot = WalletSlot & { readonly story: SlotStory }

export type WalletDeposit<Slot extends WalletSlot = WalletSlot> = {
  readonly deposit: FoundDeposit
  readonly slots: readonly Slot[]
  /** What it holds beyond whole slots; undefined where that is nothing. */
  readonly rest: { readonly units: number; readonly state: SlotState } | undefined
}

/** Where all of them are. Nobody is asked for one by its name: that would tell whose they are. */
export async function depositsOf(
  wallet: Wallet,
  signal: AbortSignal,
): Promise<readonly WalletDeposit[]> {
  const all = await namedOf(wallet, signal)
  const names = all.flatMap(({ slots, rest }) => [...slots, ...(rest ? [rest] : [])])
  const states = await wallet.slotStates(
    names.map(({ nullifier }) => nullifier),
    signal,
  )
  let next = 0
  const stateOf = (): SlotState => states[next++] ?? 'none'
  return all.map(({ deposit, slots, rest }) => ({
    deposit,
    slots: slots.map((slot) => ({ ...slot, state: stateOf() })),
    rest: rest && { units: rest.units, state: stateOf() },
  }))
}

/** All slots of the purse with what became of them. */
export async function toldSlotsOf(
  wallet: Wallet,
  signal: AbortSignal,
): Promise<readonly ToldSlot[]> {
  const storyOf = await readSlotStories(wallet.chain, wallet.payment.deployBlock, signal)
  const slots = (await namedOf(wallet, signal)).flatMap((deposit) => deposit.slots)
  return slots.map((slot) => {
    const story = storyOf(slot.nullifier)
    return { ...slot, story, state: story.state }
  })
}

/** A deposit's slots, and what they are called on the chain. */
type NamedDeposit = {
  readonly deposit: FoundDeposit
  readonly slots: readonly Omit<WalletSlot, 'state'>[]
  readonly rest: { readonly units: number; readonly nullifier: Uint8Array } | undefined
}

async function namedOf(
  { purse, chain, pool }: Wallet,
  signal: AbortSignal,
): Promise<readonly NamedDeposit[]> {
  const leaves = await chain.view.leaves(0, signal)
  const { deposits } = await findDeposits(purse, leaves, nodePoseidon)
  return deposits.map((deposit) => {
    const { secret } = deposit.owner
    const slots = Array.from({ length: slotCount(pool, deposit.limit) }, (_, number) => {
      const nullifier = u256Bytes(slotNullifier(nodePoseidon, pool, secret, number))
      return { deposit, number, nullifier }
    })
    const units = restUnits(pool, deposit.limit)
    const nullifier = u256Bytes(restNullifier(nodeTicketCrypto, secret))
    return { deposit, slots, rest: units > 0 ? { units, nullifier } : undefined }
  })
}

/** How many slots are in each state. */
export function countStates(slots: readonly WalletSlot[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { state } of slots) counts[state] = (counts[state] ?? 0) + 1
  return counts
}
