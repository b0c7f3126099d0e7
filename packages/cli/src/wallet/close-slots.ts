/**
 * Has the rest of slots back of which a hop has won a part (SPEC §14.4): what nobody has won, and the bond, becomes a fresh deposit. Asked for in one run, finished in a later one; until
 * then the hop may claim what else it won. Sent from the own account; the running client does the same through relayers.
 */
import { sessionKeyOf } from '@byway/client'
import type { ChainView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { Store } from '@byway/store'
import { openOwnStore } from '../engine/own-store.ts'
import { openSender, type Sender, type Wallet } from './open-wallet.ts'
import { queueReturns } from './queued-returns.ts'
import {
  batchesOf,
  destinationsOf,
  DIRECT_GRACE_S,
  recordsOf,
  tellBooks,
  type Returnable,
} from './refund-slots.ts'
import { depositsOf } from './slots-of.ts'
import { walletError } from './wallet-errors.ts'

/** A slot that a hop has bound, and what is left in it. */
export type Closable = Returnable & {
  /** Who bound it, 20 bytes. */
  readonly provider: Uint8Array
  /** The token's smallest parts. */
  readonly rest: bigint
}

export type CloseOptions = {
  /** Also slots that the client would go on using. */
  readonly isAll: boolean
  readonly most: number
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

export type CloseResult = {
  readonly found: readonly Closable[]
  readonly begun: number
  readonly finished: number
  /** When the last that was asked for can be finished, seconds since 1970. */
  readonly dueAtS: number | undefined
}

/** What can come back, now or later. @throws STORE_LOCKED while the client runs */
export async function findClosable(
  wallet: Wallet,
  store: Pick<Store, 'slots'>,
  signal: AbortSignal,
): Promise<readonly Closable[]> {
  const { chain, payment } = wallet
  const all = await store.slots.all()
  const records = new Map(all.map((record) => [toHex(record.nullifier), record]))
  const { timeS } = await chain.view.head(signal)
  const slots = (await depositsOf(wallet, signal)).flatMap((deposit) => deposit.slots)
  const binders = await bindersOf(chain.view, payment.deployBlock, signal)
  return slots.flatMap((slot): readonly Closable[] => {
    const { state, timeS: sinceS, wins, isBurned } = slot.word
    const record = records.get(toHex(slot.nullifier))
    const provider = binders.get(toHex(slot.nullifier))
    if (!record || !provider || (state !== 'bound' && state !== 'closing')) return []
    const left = BigInt(payment.winsPerSlot - wins) * payment.winValue
    const rest = left + (isBurned ? 0n : payment.bond)
    const isInUse = record.standing === 'shown'
    const dueAtS = state === 'closing' ? sinceS + payment.closeDelayS : undefined
    const step = dueAtS === undefined ? 'ask' : timeS >= dueAtS ? 'finish' : 'wait'
    return rest === 0n ? [] : [{ slot, record, provider, rest, isInUse, dueAtS, step }]
  })
}

/**
 * Finishes what is due, and asks for up to `most` further slots.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs, and what lane and signer throw
 */
export async function closeSlots(wallet: Wallet, options: CloseOptions): Promise<CloseResult> {
  const { nowMs, signal } = options
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await findClosable(wallet, store, signal)
  const due = found.filter(({ step }) => step === 'finish')
  const waiting = found.filter(({ step }) => step === 'wait')
  const asked = toClose(found, options)
  if (due.length + asked.length + waiting.length === 0)
    throw walletError('WALLET_NOTHING', { slots: found.length })
  await queueReturns(wallet, store, ordersOf([...due, ...asked]), { nowMs, signal })
  await using sender = await openSender(wallet, 'funds', signal)
  const direct = { sender, store, nowMs }
  for (const batch of batchesOf(due)) await finish(wallet, direct, batch)
  for (const batch of batchesOf(asked)) await ask(wallet, direct, batch)
  const { number: block, timeS } = await wallet.chain.reader.freshHead(signal)
  await tellBooks(wallet, store, { block, nowMs }, signal)
  const ends = waiting.map(({ dueAtS }) => dueAtS ?? 0)
  if (asked.length > 0) ends.push(timeS + wallet.payment.closeDelayS)
  const dueAtS = ends.length === 0 ? undefined : Math.max(...ends)
  return { found, begun: asked.length, finished: due.length, dueAtS }
}

/**
 * Writes down which slots are to be closed through relayers, for the client to do when it runs; gives how many were not asked for before.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs
 */
export async function queueCloses(wallet: Wallet, options: CloseOptions): Promise<number> {
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await findClosable(wallet, store, options.signal)
  const asked = toClose(found, options)
  if (asked.length === 0) throw walletError('WALLET_NOTHING', { slots: found.length })
  const queued = await queueReturns(wallet, store, ordersOf(asked), options)
  for (const { record } of asked) await store.slots.put({ ...record, standing: 'refused' })
  return queued
}

type Direct = {
  readonly sender: Sender
  readonly store: Pick<Store, 'slots' | 'returns'>
  readonly nowMs: () => number
}

async function ask(
  wallet: Wallet,
  { sender, store, nowMs }: Direct,
  batch: readonly Closable[],
): Promise<void> {
  // Should the second step never be sent from here, the running client has a relayer end it.
  const dueMs = nowMs() + (wallet.payment.closeDelayS + DIRECT_GRACE_S) * 1000
  for (const record of await recordsOf(store, batch))
    await store.returns.put({ ...record, state: 'asked', dueMs })
  // The client pays nobody with it any more, whatever becomes of this call.
  for (const { record } of batch) await store.slots.put({ ...record, standing: 'refused' })
  const destinations = await destinationsOf(wallet, store, batch)
  await sender.send('close', wallet.poolCalls.close(boundOf(wallet, batch), destinations))
}

async function finish(
  wallet: Wallet,
  { sender, store }: Direct,
  batch: readonly Closable[],
): Promise<void> {
  const destinations = await destinationsOf(wallet, store, batch)
  const call = wallet.poolCalls.finishClose(boundOf(wallet, batch), destinations)
  await sender.send('finishClose', call)
  for (const { slot } of batch) await store.returns.remove(slot.nullifier)
}

type BoundSlot = Parameters<Wallet['poolCalls']['close']>[0][number]

function boundOf({ purse }: Wallet, batch: readonly Closable[]): readonly BoundSlot[] {
  const secret = purse.sessionSecret()
  const bound = batch.map(({ slot: { nullifier }, provider }) => {
    const key = sessionKeyOf(nodeTicketCrypto, secret, nullifier)
    const sessionKey = nodeTicketCrypto.addressOfSecret(key)
    key.fill(0)
    return { nullifier, provider, sessionKey }
  })
  secret.fill(0)
  return bound
}

function toClose(found: readonly Closable[], { isAll, most }: CloseOptions): readonly Closable[] {
  return found.filter(({ step, isInUse }) => step === 'ask' && (isAll || !isInUse)).slice(0, most)
}

function ordersOf(slots: readonly Closable[]) {
  return slots.map(({ slot }) => ({ nullifier: slot.nullifier, kind: 'back' }) as const)
}

/** Who bound each slot of the chain: who asks for one slot tells whose it is. */
async function bindersOf(
  view: Pick<ChainView, 'head' | 'events'>,
  fromBlock: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { number } = await view.head(signal)
  const binders = new Map<string, Uint8Array>()
  for await (const news of view.events(fromBlock, signal)) {
    if (news.type === 'head' && news.head.number >= number) break
    if (news.type !== 'event' || news.event.name !== 'won') continue
    binders.set(toHex(news.event.nullifier), news.event.provider)
  }
  signal.throwIfAborted()
  return binders
}
