/**
 * Has slots back that were shown and not won (SPEC §14.4): what is left in each becomes a fresh deposit. Asked for in one run, finished in a later one; until then a hop may still bind
 * what it won. One signature of the slot's session key serves both steps, so that anybody may send them.
 */
import { sessionKeyOf } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import { nodeKeyOf } from '@byway/protocol/directory'
import { nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { identityCommitment, returnDigest } from '@byway/protocol/ticket'
import { findDeposits } from '@byway/purse'
import type { JournalSlot, Store, StoredReturn } from '@byway/store'
import { openOwnStore } from '../engine/own-store.ts'
import { createClientBooks } from '../ledger/client-books.ts'
import { openSender, type Sender, type Wallet } from './open-wallet.ts'
import { queueReturns } from './queued-returns.ts'
import { depositsOf, type WalletSlot } from './slots-of.ts'
import { walletError } from './wallet-errors.ts'

/** `ask`: can be asked for now. `wait`: its delay is not over. `finish`: comes back with the next call. `locked`: a hop has won and holds it for a while. */
export type ReturnStep = 'ask' | 'wait' | 'finish' | 'locked'

/** A slot that was shown and can come back. */
export type Returnable = {
  readonly slot: WalletSlot
  readonly record: JournalSlot
  readonly step: ReturnStep
  /** Whether the client would go on paying with it. */
  readonly isInUse: boolean
  /** When the delay or the lock ends, seconds since 1970; undefined for a slot to be asked for. */
  readonly dueAtS: number | undefined
}

export type RefundResult = {
  /** What was there before anything was sent. */
  readonly found: readonly Returnable[]
  readonly begun: number
  readonly finished: number
  /** When the last that was asked for can be finished, seconds since 1970; undefined with none. */
  readonly dueAtS: number | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** Slots in one transaction: each takes a proof to be checked, and each makes a leaf. */
const MAX_BATCH = 8
/** A client that is started meanwhile leaves the second step to this command for so long. */
export const DIRECT_GRACE_S: number = 24 * 3600
/** Measured (contracts/GAS.md), with room: asking and finishing one slot. */
const RETURN_GAS = 450_000n

/** Coin for the gas of both steps of so many slots, wei, at the present price. */
export async function refundCostWei(
  { chain }: Pick<Wallet, 'chain'>,
  slots: number,
  signal: AbortSignal,
): Promise<bigint> {
  const { baseFee } = await chain.reader.freshHead(signal)
  return RETURN_GAS * BigInt(slots) * baseFee
}

/** What can come back, now or later. @throws STORE_LOCKED while the client runs */
export async function findReturnable(
  wallet: Wallet,
  store: Pick<Store, 'slots'>,
  signal: AbortSignal,
): Promise<readonly Returnable[]> {
  const { chain, payment } = wallet
  const records = new Map(
    (await store.slots.all()).map((record) => [toHex(record.nullifier), record]),
  )
  const { timeS } = await chain.view.head(signal)
  const slots = (await depositsOf(wallet, signal)).flatMap((deposit) => deposit.slots)
  return slots.flatMap((slot): readonly Returnable[] => {
    const record = records.get(toHex(slot.nullifier))
    if (!record || record.hop === NOBODY) return []
    const isInUse = record.standing === 'shown'
    const head = { slot, record, isInUse }
    const { state, timeS: sinceS } = slot.word
    if (state === 'none' || state === 'lapsed') return [{ ...head, step: 'ask', dueAtS: undefined }]
    if (state === 'locked') return [{ ...head, step: 'locked', dueAtS: sinceS + payment.lockS }]
    if (state !== 'refunding') return []
    const dueAtS = sinceS + payment.refundDelayS
    return [{ ...head, step: timeS >= dueAtS ? 'finish' : 'wait', dueAtS }]
  })
}

/**
 * Finishes what is due, and asks for up to `most` further slots: those that the client is done with, or all with `isAll`.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs, and what lane and signer throw
 */
export async function refundSlots(
  wallet: Wallet,
  options: {
    readonly isAll: boolean
    readonly most: number
    readonly nowMs: () => number
    readonly signal: AbortSignal
  },
): Promise<RefundResult> {
  const { signal } = options
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await findReturnable(wallet, store, signal)
  const due = found.filter(({ step }) => step === 'finish')
  const asked = found
    .filter(({ step, isInUse }) => step === 'ask' && (options.isAll || !isInUse))
    .slice(0, options.most)
  const waiting = found.filter(({ step }) => step === 'wait')
  if (due.length + asked.length + waiting.length === 0)
    throw walletError('WALLET_NOTHING', { slots: found.length })
  // The number of the deposit that each becomes is on the disk: both steps name the same, whoever sends the second.
  const orders = [...due, ...asked].map(
    ({ slot }) => ({ nullifier: slot.nullifier, kind: 'back' }) as const,
  )
  await queueReturns(wallet, store, orders, { nowMs: options.nowMs, signal })
  const queued = new Set((await store.returns.all()).map(({ nullifier }) => toHex(nullifier)))
  const isQueued = ({ slot }: Returnable): boolean => queued.has(toHex(slot.nullifier))
  const [ending, beginning] = [due.filter(isQueued), asked.filter(isQueued)]
  await using sender = await openSender(wallet, 'funds', signal)
  const direct = { sender, store, nowMs: options.nowMs }
  await finishAll(wallet, direct, ending)
  await askAll(wallet, direct, beginning)
  const { number: block, timeS } = await wallet.chain.reader.freshHead(signal)
  await tellBooks(wallet, store, { block, nowMs: options.nowMs }, signal)
  const ends = waiting.map(({ dueAtS }) => dueAtS ?? 0)
  if (beginning.length > 0) ends.push(timeS + wallet.payment.refundDelayS)
  return {
    found,
    begun: beginning.length,
    finished: ending.length,
    dueAtS: ends.length === 0 ? undefined : Math.max(...ends),
  }
}

/** The client's books learn of it now, whether or not it is started again. */
export async function tellBooks(
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

/**
 * Writes down which slots are to be asked back through relayers, for the client to do when it runs: those that it is done with, or all with `isAll`. Gives how many were not asked for before.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs
 */
export async function queueRefunds(
  wallet: Wallet,
  options: {
    readonly isAll: boolean
    readonly most: number
    readonly nowMs: () => number
    readonly signal: AbortSignal
  },
): Promise<{ readonly queued: number; readonly waiting: number }> {
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await findReturnable(wallet, store, options.signal)
  const asked = found
    .filter(({ step, isInUse }) => step !== 'locked' && (options.isAll || !isInUse))
    .slice(0, options.most)
  if (asked.length === 0) throw walletError('WALLET_NOTHING', { slots: found.length })
  const orders = asked.map(({ slot }) => ({ nullifier: slot.nullifier, kind: 'back' }) as const)
  const queued = await queueReturns(wallet, store, orders, options)
  // The client pays nobody with it any more.
  for (const { record } of asked) await store.slots.put({ ...record, standing: 'refused' })
  return { queued, waiting: (await store.returns.all()).length }
}

type Direct = {
  readonly sender: Sender
  readonly store: Pick<Store, 'slots' | 'returns'>
  readonly nowMs: () => number
}

async function finishAll(
  wallet: Wallet,
  { sender, store }: Direct,
  due: readonly Returnable[],
): Promise<void> {
  for (const batch of batchesOf(due)) {
    const destinations = await destinationsOf(wallet, store, batch)
    const nullifiers = batch.map(({ slot }) => slot.nullifier)
    await sender.send('finishRefund', wallet.poolCalls.finishRefund(nullifiers, destinations))
    for (const nullifier of nullifiers) await store.returns.remove(nullifier)
  }
}

async function askAll(
  wallet: Wallet,
  { sender, store, nowMs }: Direct,
  asked: readonly Returnable[],
): Promise<void> {
  // Should the second step never be sent from here, the running client has a relayer end it.
  const dueMs = nowMs() + (wallet.payment.refundDelayS + DIRECT_GRACE_S) * 1000
  for (const batch of batchesOf(asked)) {
    const destinations = await destinationsOf(wallet, store, batch)
    const queued = await recordsOf(store, batch)
    for (const record of queued) await store.returns.put({ ...record, state: 'asked', dueMs })
    // The client pays nobody with it any more, whatever becomes of this call.
    for (const { record } of batch) await store.slots.put({ ...record, standing: 'refused' })
    const openings = batch.map(({ record }) => record.opening)
    await sender.send('refund', wallet.poolCalls.refund(openings, destinations))
  }
}

type Destination = Parameters<Wallet['poolCalls']['refund']>[1][number]

/** What the queue says of each. */
export async function recordsOf(
  { returns }: Pick<Store, 'returns'>,
  batch: readonly Returnable[],
): Promise<readonly StoredReturn[]> {
  const all = new Map((await returns.all()).map((record) => [toHex(record.nullifier), record]))
  return batch.flatMap(({ slot }) => all.get(toHex(slot.nullifier)) ?? [])
}

/** The deposit that was set aside for each, signed by the slot's session key. */
export async function destinationsOf(
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

/** In as many transactions as it takes. */
export function batchesOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / MAX_BATCH)
  return Array.from({ length: count }, (_, at) => items.slice(at * MAX_BATCH, (at + 1) * MAX_BATCH))
}

/** In the journal beside slots that were withdrawn: no hop was shown them. */
const NOBODY = nodeKeyOf(new Uint8Array(32))
