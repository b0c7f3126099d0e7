/**
 * What refund and close have in common (SPEC §14.4): what is left in a slot becomes a fresh deposit. Asked for in one run, finished in a later one; until then a hop may still claim
 * what it won. One signature of the slot's session key serves both steps, so that anybody may send them: the own account here, relayers for the running client.
 */
import { sessionKeyOf, type ReturnOrder } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { ContractCall } from '@byway/protocol/payment'
import { identityCommitment, returnDigest } from '@byway/protocol/ticket'
import { findDeposits } from '@byway/purse'
import type { JournalSlot, Store, StoredReturn } from '@byway/store'
import { openOwnStore } from '../engine/own-store.ts'
import { createClientBooks } from '../ledger/client-books.ts'
import { openSender, type Sender, type Wallet } from './open-wallet.ts'
import { queueReturns } from './queued-returns.ts'
import type { ToldSlot } from './slots-of.ts'
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

/** Where a slot's rest goes, signed by its session key. */
export type Destination = Parameters<Wallet['poolCalls']['refund']>[1][number]

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
  readonly finish: ReturnStepCall<Slot>
}

type ReturnStepCall<Slot> = {
  readonly name: string
  readonly call: (
    wallet: Wallet,
    batch: readonly Slot[],
    destinations: readonly Destination[],
  ) => ContractCall
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
  // The number of the deposit that each becomes is on the disk: both steps name the same, whoever sends the second.
  await queueReturns(wallet, store, ordersOf([...at('finish'), ...asked]), { nowMs, signal })
  const queued = new Set((await store.returns.all()).map(({ nullifier }) => toHex(nullifier)))
  const isQueued = ({ slot }: Returnable): boolean => queued.has(toHex(slot.nullifier))
  const [ending, beginning] = [at('finish').filter(isQueued), asked.filter(isQueued)]
  await using sender = await openSender(wallet, 'funds', signal)
  const direct = { sender, store, nowMs }
  for (const batch of batchesOf(ending)) await finishBatch(wallet, way, direct, batch)
  for (const batch of batchesOf(beginning)) await beginBatch(wallet, way, direct, batch)
  const { number: block, timeS } = await wallet.chain.reader.freshHead(signal)
  await tellBooks(wallet, store, { block, nowMs }, signal)
  const ends = at('wait').map(({ dueAtS }) => dueAtS ?? 0)
  if (beginning.length > 0) ends.push(timeS + way.delayS(wallet.payment))
  const dueAtS = ends.length === 0 ? undefined : Math.max(...ends)
  return { found, begun: beginning.length, finished: ending.length, dueAtS }
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
  const queued = await queueReturns(wallet, store, ordersOf(asked), options)
  // The client pays nobody with it any more.
  for (const { record } of asked) await store.slots.put({ ...record, standing: 'refused' })
  return queued
}

type Direct = {
  readonly sender: Sender
  readonly store: Pick<Store, 'slots' | 'returns'>
  readonly nowMs: () => number
}

async function finishBatch<Slot extends Returnable>(
  wallet: Wallet,
  { finish }: ReturnWay<Slot>,
  { sender, store }: Direct,
  batch: readonly Slot[],
): Promise<void> {
  const destinations = await destinationsOf(wallet, store, batch)
  await sender.send(finish.name, finish.call(wallet, batch, destinations))
  for (const { slot } of batch) await store.returns.remove(slot.nullifier)
}

async function beginBatch<Slot extends Returnable>(
  wallet: Wallet,
  { begin, delayS }: ReturnWay<Slot>,
  { sender, store, nowMs }: Direct,
  batch: readonly Slot[],
): Promise<void> {
  // Should the second step never be sent from here, the running client has a relayer end it.
  const dueMs = nowMs() + (delayS(wallet.payment) + DIRECT_GRACE_S) * 1000
  for (const record of await recordsOf(store, batch))
    await store.returns.put({ ...record, state: 'asked', dueMs })
  // The client pays nobody with it any more, whatever becomes of this call.
  for (const { record } of batch) await store.slots.put({ ...record, standing: 'refused' })
  const destinations = await destinationsOf(wallet, store, batch)
  await sender.send(begin.name, begin.call(wallet, batch, destinations))
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

/** What the queue says of each. */
async function recordsOf(
  { returns }: Pick<Store, 'returns'>,
  batch: readonly Returnable[],
): Promise<readonly StoredReturn[]> {
  const all = new Map((await returns.all()).map((record) => [toHex(record.nullifier), record]))
  return batch.flatMap(({ slot }) => all.get(toHex(slot.nullifier)) ?? [])
}

/** The deposit that was set aside for each, signed by the slot's session key. */
async function destinationsOf(
  { purse, pool }: Wallet,
  store: Pick<Store, 'returns'>,
  batch: readonly Returnable[],
): Promise<readonly Destination[]> {
  const secret = purse.sessionSecret()
  const feeTo = new Uint8Array(20)
  const signed: Destination[] = []
  for (const { nullifier, owner } of await recordsOf(store, batch)) {
    const idc = identityCommitment(nodePoseidon, (await purse.depositOwner(owner)).secret)
    const digest = returnDigest(nodeTicketCrypto, pool, { nullifier, idc, feeTo })
    const key = sessionKeyOf(nodeTicketCrypto, secret, nullifier)
    signed.push({ idc, feeTo, signature: nodeTicketCrypto.signDigest(key, digest) })
    key.fill(0)
  }
  secret.fill(0)
  return signed
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
