/**
 * Takes slots back that were never shown (SPEC §14.4): asks for them, and once the delay is over has them paid. A slot that the client has shown to anybody is never among them:
 * two proofs of one slot burn its bond. So each is written into the client's journal before its proof leaves.
 */
import { equalBytes, toHex } from '@byway/protocol/base'
import type { Opening } from '@byway/protocol/wire'
import type { JournalSlot, Store } from '@byway/store'
import { openOwnStore } from '../engine/own-store.ts'
import { recordWithdrawn } from '../ledger/deposit-events.ts'
import { cameToNothing, openSender, type Sender, type Wallet } from './open-wallet.ts'
import {
  isWithdrawnRecord,
  proveWithdrawals,
  withdrawnRecord,
  type WantedProof,
} from './prove-withdrawals.ts'
import type { SlotProofOptions } from './prove-slots.ts'
import { queueReturns } from './queued-returns.ts'
import { depositsOf, toldSlotsOf, type WalletSlot, type ToldSlot } from './slots-of.ts'
import { walletError } from './wallet-errors.ts'

export type WithdrawResult = {
  /** Slots that were paid now. */
  readonly finished: number
  /** Slots that were asked for now. */
  readonly begun: number
  /** Slots whose delay is not over. */
  readonly pending: number
  /** Slots that are to be asked for again, for a receiver who was not named now. */
  readonly elsewhere: number
  /** When the last of them can be finished, seconds since 1970; undefined with none. */
  readonly dueAtS: number | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** Slots in one transaction: each takes a proof to be checked. */
const MAX_BATCH = 12

export type WithdrawOptions = SlotProofOptions & {
  /** Who receives it, 20 bytes. */
  readonly to: Uint8Array
  readonly most: number
  readonly nowS: number
}

/**
 * Finishes what is due, asks again for what the chain has forgotten, and asks for up to `most` further slots.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs, and what lane and signer throw
 */
export async function withdrawSlots(
  wallet: Wallet,
  options: WithdrawOptions,
): Promise<WithdrawResult> {
  const { to, signal, nowS } = options
  const { payment, pool, home, poolCalls } = wallet
  await using store = await openOwnStore(home, 'client')
  await using sender = await openSender(wallet, 'funds', signal)
  await finishEarlier(sender)
  const { due, open, unused, again, elsewhere, timeS } = await lookAtSlots(wallet, store, options)
  for (const [number, batch] of batchesOf(due).entries()) {
    const nullifiers = batch.map(({ nullifier }) => nullifier)
    await sender.send(`finish${number}`, poolCalls.finishWithdraw(nullifiers))
    await recordWithdrawn(store.ledger, nullifiers, pool.slotValue, nowS * 1000)
  }
  const fresh = unused.map((slot) => ({ slot, to }))
  const openings = [
    ...(await provenAgain(wallet, again, options)),
    ...(await proveWithdrawals(wallet, fresh, options)),
  ]
  for (const opening of openings) await store.slots.put(withdrawnRecord(opening, nowS))
  await sendAll(wallet, sender, openings)
  const since = [...open.map(({ story }) => story.timeS), ...(openings.length > 0 ? [timeS] : [])]
  return {
    finished: due.length,
    begun: openings.length,
    pending: open.length + openings.length,
    elsewhere,
    dueAtS: since.length === 0 ? undefined : Math.max(...since) + payment.refundDelayS,
  }
}

/** What is to be done now. */
type Seen = {
  /** Asked for, and their delay is over. */
  readonly due: readonly ToldSlot[]
  /** Asked for, and their delay is not over. */
  readonly open: readonly ToldSlot[]
  readonly unused: readonly ToldSlot[]
  readonly again: readonly Forgotten[]
  /** Forgotten too, and for others. */
  readonly elsewhere: number
  /** Of the newest block. */
  readonly timeS: number
}

/** @throws WALLET_NOTHING, and what the chain and the disk throw */
async function lookAtSlots(
  wallet: Wallet,
  store: Pick<Store, 'slots' | 'returns'>,
  { to, most, signal }: WithdrawOptions,
): Promise<Seen> {
  const slots = (await toldSlotsOf(wallet, signal)).filter(isOwn)
  const waiting = slots.filter(({ state }) => state === 'withdrawing')
  const { timeS } = await wallet.chain.view.head(signal)
  const isDue = ({ story }: ToldSlot): boolean => timeS >= story.timeS + wallet.payment.refundDelayS
  const journal = await store.slots.all()
  // What is on its way through a relayer has its proof: a second one would burn the bond.
  const taken = [...journal, ...(await store.returns.all())]
  const shown = new Set(taken.map(({ nullifier }) => toHex(nullifier)))
  const unused = slots.filter((slot) => isWithdrawable(slot, shown)).slice(0, most)
  const forgotten = forgottenOf(slots, journal)
  const again = forgotten.filter(isFor([to, wallet.purse.accounts.funds]))
  const elsewhere = forgotten.length - again.length
  if (waiting.length + unused.length + forgotten.length === 0) {
    throw walletError('WALLET_NOTHING', { slots: slots.length })
  }
  const due = waiting.filter(isDue)
  return { due, open: waiting.filter((one) => !isDue(one)), unused, again, elsewhere, timeS }
}

/** Waits for what a killed command has left under way: before that the chain does not say what is still to be asked for. */
async function finishEarlier(sender: Sender): Promise<void> {
  for (const call of await sender.unfinished('withdraw')) {
    try {
      await call.finish()
    } catch (error) {
      if (!cameToNothing(error)) throw error
    }
  }
}

/** A slot that was asked for and is in the chain as if nobody had: a reorganisation took its root, or the call was never sent. */
type Forgotten = { readonly slot: ToldSlot; readonly opening: Opening }

function forgottenOf(
  slots: readonly ToldSlot[],
  journal: readonly JournalSlot[],
): readonly Forgotten[] {
  const asked = journal.filter(isWithdrawnRecord)
  const openings = new Map(asked.map(({ nullifier, opening }) => [toHex(nullifier), opening]))
  return slots.flatMap((slot) => {
    const opening = openings.get(toHex(slot.nullifier))
    const isFree = slot.state === 'none' || slot.state === 'lapsed'
    return opening && isFree ? [{ slot, opening }] : []
  })
}

/** True where its proof names one of these receivers: nobody else was confirmed. */
function isFor(receivers: readonly Uint8Array[]): (one: Forgotten) => boolean {
  return ({ opening }) => receivers.some((each) => equalBytes(each, opening.sessionKey))
}

/** In the same bytes, or, where its root is gone, proved under the present one for the same receiver: two proofs of a slot for different ones would burn its bond. */
async function provenAgain(
  wallet: Wallet,
  forgotten: readonly Forgotten[],
  options: SlotProofOptions,
): Promise<readonly Opening[]> {
  const [standing, rootless]: [Opening[], WantedProof[]] = [[], []]
  for (const { slot, opening } of forgotten) {
    if (await wallet.chain.view.publishedRoot(opening.root, options.signal)) standing.push(opening)
    else rootless.push({ slot, to: opening.sessionKey })
  }
  return [...standing, ...(await proveWithdrawals(wallet, rootless, options))]
}

/** Each call is for one receiver. */
async function sendAll(
  { poolCalls }: Wallet,
  sender: Sender,
  openings: readonly Opening[],
): Promise<void> {
  const byReceiver = Map.groupBy(openings, ({ sessionKey }) => toHex(sessionKey))
  const batches = [...byReceiver.values()].flatMap((some) => batchesOf(some))
  for (const [number, batch] of batches.entries()) {
    const [first] = batch
    if (first)
      await sender.send(`withdraw${number}`, poolCalls.withdrawUnused(batch, first.sessionKey))
  }
}

/**
 * Writes down which slots that were never shown are to be paid out through relayers, for the client to do when it runs. Gives how many were not asked for before.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs
 */
export async function queueWithdrawals(
  wallet: Wallet,
  options: {
    readonly to: Uint8Array
    readonly most: number
    readonly nowMs: () => number
    readonly signal: AbortSignal
  },
): Promise<number> {
  await using store = await openOwnStore(wallet.home, 'client')
  const all = await depositsOf(wallet, options.signal)
  const slots = all.flatMap((one) => one.slots).filter(isOwn)
  const shown = new Set((await store.slots.all()).map(({ nullifier }) => toHex(nullifier)))
  const unused = slots.filter((slot) => isWithdrawable(slot, shown)).slice(0, options.most)
  if (unused.length === 0) throw walletError('WALLET_NOTHING', { slots: slots.length })
  const { to } = options
  const orders = unused.map(({ nullifier }) => ({ nullifier, kind: 'withdraw', to }) as const)
  return await queueReturns(wallet, store, orders, options)
}

/** What became of a voucher that was given away is its holder's business. */
function isOwn({ deposit }: WalletSlot): boolean {
  return deposit.kind !== 'voucher'
}

function isWithdrawable(
  { deposit, state, nullifier }: WalletSlot,
  shown: ReadonlySet<string>,
): boolean {
  return deposit.isPastKnown && state === 'none' && !shown.has(toHex(nullifier))
}

function batchesOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / MAX_BATCH)
  return Array.from({ length: count }, (_, at) => items.slice(at * MAX_BATCH, (at + 1) * MAX_BATCH))
}
