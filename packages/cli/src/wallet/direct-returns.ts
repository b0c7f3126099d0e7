/**
 * What refund and close have in common (SPEC §14.4): what is left in a slot becomes a fresh deposit. Asked for in one run, finished in a later one; until then a hop may still claim
 * what it won. Anybody may send either step: the own account here, relayers for the running client.
 */
import type { ReturnOrder } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { nodePoseidon } from '@byway/protocol/node-ticket'
import type { ContractCall } from '@byway/protocol/payment'
import { findDeposits } from '@byway/purse'
import type { JournalSlot, Store, StoredReturn } from '@byway/store'
import { openOwnStore } from '../engine/own-store.ts'
import { createClientBooks } from '../ledger/client-books.ts'
import { openSender, type Sender, type Wallet } from './open-wallet.ts'
import { queueReturns } from './queued-returns.ts'
import type { ToldSlot } from './slots-of.ts'
import { recordUnknown } from './unknown-slots.ts'
import { walletError } from './wallet-errors.ts'

/** `ask`: can be asked for now. `wait`: its delay is not over. `finish`: comes back with the next call. `locked`: a hop has won and holds it for a while. */
export type ReturnStep = 'ask' | 'wait' | 'finish' | 'locked'

/** A slot that was shown and can come back. */
export type Returnable = {
  readonly slot: ToldSlot
  readonly record: JournalSlot
  readonly step: ReturnStep
  /** Whether the client would go on paying with it. */
  readonly isInUse: boolean
  /** When the delay or the lock ends, seconds since 1970; undefined for a slot to be asked for. */
  readonly dueAtS: number | undefined
}

/** A slot with what the queue says of it, where it goes among that. */
export type Queued<Slot extends Returnable> = { readonly slot: Slot; readonly order: StoredReturn }

/** A call, and what the disk is to know of its slots before it is sent. */
export type ReturnSending = {
  readonly call: ContractCall
  readonly orders: readonly StoredReturn[]
}

/** A kind of return in two calls. */
export type ReturnWay<Slot extends Returnable> = {
  readonly find: (
    wallet: Wallet,
    store: Pick<Store, 'slots'>,
    signal: AbortSignal,
  ) => Promise<readonly Slot[]>
  /** Between its steps. */
  readonly delayS: (payment: PaymentParameters) => number
  readonly begin: ReturnStepCall<Slot>
  readonly finish: ReturnStepCall<Slot> & {
    /** `ours`: it goes where the queue says. `gone`: whoever was to finish it did not, and it is asked for again. `elsewhere`: somebody has it still. */
    readonly whose: (
      wallet: Wallet,
      queued: Queued<Slot>,
      signal: AbortSignal,
    ) => Promise<'ours' | 'gone' | 'elsewhere'>
  }
}

type ReturnStepCall<Slot extends Returnable> = {
  readonly name: string
  /** @throws what the chain and the prover throw */
  readonly call: (
    wallet: Wallet,
    batch: readonly Queued<Slot>[],
    signal: AbortSignal,
  ) => Promise<ReturnSending>
}

export type ReturnOptions = {
  /** Also slots that the client would go on using. */
  readonly isAll: boolean
  readonly most: number
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

export type ReturnResult<Slot extends Returnable> = {
  /** What was there before anything was sent. */
  readonly found: readonly Slot[]
  readonly begun: number
  readonly finished: number
  /** When the last that was asked for can be finished, seconds since 1970; undefined with none. */
  readonly dueAtS: number | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** Slots in one transaction: each takes a proof to be checked, and each makes a leaf. */
const MAX_BATCH = 8
/** A client that is started meanwhile leaves the second step to this command for so long. */
const DIRECT_GRACE_S = 24 * 3600

/**
 * Finishes what is due, and asks for up to `most` further slots, from the own account.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs, and what lane and signer throw
 */
export async function sendReturns<Slot extends Returnable>(
  wallet: Wallet,
  way: ReturnWay<Slot>,
  options: ReturnOptions,
): Promise<ReturnResult<Slot>> {
  const { nowMs, signal } = options
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await way.find(wallet, store, signal)
  const at = (wanted: ReturnStep): readonly Slot[] => found.filter(({ step }) => step === wanted)
  const asked = at('ask').filter(isWantedBy(options)).slice(0, options.most)
  if (asked.length + at('finish').length + at('wait').length === 0)
    throw walletError('WALLET_NOTHING', { slots: found.length })
  await tellUnknown(wallet, store, [...at('finish'), ...asked], nowMs)
  // The number of the deposit that each becomes is on the disk: both steps name the same, whoever sends the second.
  await queueReturns(wallet, store, ordersOf([...at('finish'), ...asked]), { nowMs, signal })
  const ending: Queued<Slot>[] = []
  const beginning: Queued<Slot>[] = await queuedOf(store, asked)
  for (const queued of await queuedOf(store, at('finish'))) {
    const whose = await way.finish.whose(wallet, queued, signal)
    if (whose === 'ours') ending.push(queued)
    else if (whose === 'gone') beginning.push(queued)
  }
  await using sender = await openSender(wallet, 'funds', signal)
  const direct = { sender, store, nowMs, signal }
  for (const batch of batchesOf(ending)) await finishBatch(wallet, way, direct, batch)
  let begun = 0
  for (const batch of batchesOf(beginning)) begun += await beginBatch(wallet, way, direct, batch)
  const { number: block, timeS } = await wallet.chain.reader.freshHead(signal)
  await tellBooks(wallet, store, { block, nowMs }, signal)
  const ends = at('wait').map(({ dueAtS }) => dueAtS ?? 0)
  if (begun > 0) ends.push(timeS + way.delayS(wallet.payment))
  const dueAtS = ends.length === 0 ? undefined : Math.max(...ends)
  return { found, begun, finished: ending.length, dueAtS }
}

/**
 * Writes down which slots are to be asked back through relayers, for the client to do when it runs: those that it is done with, or all with `isAll`. Gives how many were not asked for before.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs
 */
export async function queueWay(
  wallet: Wallet,
  { find }: Pick<ReturnWay<Returnable>, 'find'>,
  options: ReturnOptions,
): Promise<number> {
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await find(wallet, store, options.signal)
  const asked = found
    .filter((slot) => slot.step !== 'locked' && isWantedBy(options)(slot))
    .slice(0, options.most)
  if (asked.length === 0) throw walletError('WALLET_NOTHING', { slots: found.length })
  await tellUnknown(wallet, store, asked, options.nowMs)
  const queued = await queueReturns(wallet, store, ordersOf(asked), options)
  // The client pays nobody with it any more.
  for (const { record } of asked) await store.slots.put({ ...record, standing: 'refused' })
  return queued
}

type Direct = {
  readonly sender: Sender
  readonly store: Pick<Store, 'slots' | 'returns'>
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

async function finishBatch<Slot extends Returnable>(
  wallet: Wallet,
  { finish }: ReturnWay<Slot>,
  { sender, store, signal }: Direct,
  batch: readonly Queued<Slot>[],
): Promise<void> {
  const { call } = await finish.call(wallet, batch, signal)
  await sender.send(finish.name, call)
  for (const { order } of batch) await store.returns.remove(order.nullifier)
}

async function beginBatch<Slot extends Returnable>(
  wallet: Wallet,
  { begin, delayS }: ReturnWay<Slot>,
  { sender, store, nowMs, signal }: Direct,
  batch: readonly Queued<Slot>[],
): Promise<number> {
  const { call, orders } = await begin.call(wallet, batch, signal)
  if (orders.length === 0) return 0
  // Should the second step never be sent from here, the running client has a relayer end it.
  const dueMs = nowMs() + (delayS(wallet.payment) + DIRECT_GRACE_S) * 1000
  for (const order of orders) await store.returns.put({ ...order, state: 'asked', dueMs })
  // The client pays nobody with it any more, whatever becomes of this call.
  for (const { slot } of batch) await store.slots.put({ ...slot.record, standing: 'refused' })
  await sender.send(begin.name, call)
  return orders.length
}

/** Before anything comes back of them. */
async function tellUnknown(
  { pool }: Pick<Wallet, 'pool'>,
  { ledger }: Pick<Store, 'ledger'>,
  slots: readonly Returnable[],
  nowMs: () => number,
): Promise<void> {
  const records = slots.map(({ record }) => record)
  await recordUnknown(ledger, records, { slotValue: pool.slotValue, nowMs: nowMs() })
}

/** The client's books learn of it now, whether or not it is started again. */
async function tellBooks(
  { chain, payment, purse }: Wallet,
  { ledger }: Pick<Store, 'ledger'>,
  { block, nowMs }: { readonly block: number; readonly nowMs: () => number },
  signal: AbortSignal,
): Promise<void> {
  const books = createClientBooks({ ledger, chain: chain.view, payment, nowMs })
  const leaves = await chain.view.leaves(0, signal)
  books.found((await findDeposits(purse, leaves, nodePoseidon)).deposits)
  await books.follow(signal, block)
}

/** Those of them that the queue has. */
async function queuedOf<Slot extends Returnable>(
  { returns }: Pick<Store, 'returns'>,
  batch: readonly Slot[],
): Promise<Queued<Slot>[]> {
  const all = new Map((await returns.all()).map((order) => [toHex(order.nullifier), order]))
  return batch.flatMap((slot) => {
    const order = all.get(toHex(slot.slot.nullifier))
    return order ? [{ slot, order }] : []
  })
}

function isWantedBy({ isAll }: ReturnOptions): (slot: Returnable) => boolean {
  return ({ isInUse }) => isAll || !isInUse
}

function ordersOf(slots: readonly Returnable[]): readonly ReturnOrder[] {
  return slots.map(({ slot }) => ({ nullifier: slot.nullifier, kind: 'back' }))
}

/** In as many transactions as it takes. */
function batchesOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / MAX_BATCH)
  return Array.from({ length: count }, (_, at) => items.slice(at * MAX_BATCH, (at + 1) * MAX_BATCH))
}
