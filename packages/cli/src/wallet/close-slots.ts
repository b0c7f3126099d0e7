/** Slots of which a hop has won a part, and how the rest of them comes back (SPEC §14.4): what nobody has won, and the bond. */
import { sessionKeyOf } from '@byway/client'
import type { ChainView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { returnDigest } from '@byway/protocol/ticket'
import type { Store } from '@byway/store'
import { commitmentOf, NOBODY } from './destinations.ts'
import type { Queued, Returnable, ReturnWay } from './direct-returns.ts'
import type { Wallet } from './open-wallet.ts'
import { toldSlotsOf } from './slots-of.ts'
import { unknownRecord } from './unknown-slots.ts'

/** A slot that a hop has bound, and what is left in it. */
export type Closable = Returnable & {
  /** Who bound it, 20 bytes. */
  readonly provider: Uint8Array
  /** The token's smallest parts. */
  readonly rest: bigint
}

/** How they come back. */
export const CLOSE: ReturnWay<Closable> = {
  find: findClosable,
  delayS: ({ closeDelayS }) => closeDelayS,
  begin: {
    name: 'close',
    call: async (wallet, batch) => {
      const [slots, destinations] = await signedOf(wallet, batch)
      const orders = batch.map(({ order }) => order)
      return { call: wallet.poolCalls.close(slots, destinations), orders }
    },
  },
  finish: {
    name: 'finishClose',
    call: async (wallet, batch) => {
      const [slots, destinations] = await signedOf(wallet, batch)
      return { call: wallet.poolCalls.finishClose(slots, destinations), orders: [] }
    },
    // Its session key says where it goes, at the end too.
    whose: () => Promise.resolve('ours'),
  },
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
  const slots = await toldSlotsOf(wallet, signal)
  const binders = await bindersOf(chain.view, payment.deployBlock, signal)
  return slots.flatMap((slot): readonly Closable[] => {
    const { state, timeS: sinceS, wins, isBurned } = slot.story
    const record = records.get(toHex(slot.nullifier)) ?? unknownRecord(slot)
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

type CloseArguments = Parameters<Wallet['poolCalls']['close']>

/** Each slot and where its rest goes, signed by its session key. */
async function signedOf(
  wallet: Wallet,
  batch: readonly Queued<Closable>[],
): Promise<readonly [CloseArguments[0], CloseArguments[1]]> {
  const { purse, pool } = wallet
  const commitments = await Promise.all(batch.map(({ order }) => commitmentOf(wallet, order)))
  const secret = purse.sessionSecret()
  const signed = batch.map(({ slot: { slot, provider } }, i) => {
    const { nullifier } = slot
    const terms = { nullifier, idc: commitments[i] ?? 0n, feeTo: NOBODY }
    const key = sessionKeyOf(nodeTicketCrypto, secret, nullifier)
    const sessionKey = nodeTicketCrypto.addressOfSecret(key)
    const digest = returnDigest(nodeTicketCrypto, pool, terms)
    const signature = nodeTicketCrypto.signDigest(key, digest)
    key.fill(0)
    return { bound: { nullifier, provider, sessionKey }, to: { ...terms, signature } }
  })
  secret.fill(0)
  return [signed.map(({ bound }) => bound), signed.map(({ to }) => to)]
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
