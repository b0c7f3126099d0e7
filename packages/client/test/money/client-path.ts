/** A client that pays, on a real store: it shows slots, signs tickets, buys tokens and spends them. What leaves it is told in the moment in which it leaves. */
import assert from 'node:assert/strict'
import { BANDWIDTH } from '../../../protocol/test/payment/token-harness.ts'
import { PAY, type ClientPayMessage, type PayMessage } from '@byway/protocol/wire'
import { openStore, type Store } from '@byway/store'
import { createSlotSession, type SlotSession } from '../../src/money/slot-session.ts'
import type { SlotUse } from '../../src/money/ports.ts'
import { tariffOf } from '../../src/money/tariff.ts'
import { createHandTimers } from '../engine/hand-timers.ts'
import { createMoneyWorld, NEVER, START_MS, type MoneyWorld } from './money-world.ts'
import { LASTING_POOL, startTestHop, type TestHop } from './test-hop.ts'

export type Say = (what: 'sent' | 'over', message?: ClientPayMessage) => void

/** More than a floor has, so that it is raised twice. */
const TICKETS = 60
const UNITS = 16
const TOKENS = 12
const TOKEN_UNITS = 4
/** More than a block has. */
const SPENDS = 10

export function openClientStore(folder: string): Promise<Store> {
  return openStore({ folder, name: 'client', key: new Uint8Array(32).fill(9) })
}

/** One life of it, over all its steps. @param firstIndexOf - where a slot's commits go on that an earlier life has shown */
export async function liveOnce(
  folder: string,
  say: Say,
  firstIndexOf: (nullifier: Uint8Array) => number = () => 0,
): Promise<void> {
  const timers = createHandTimers(START_MS)
  await using store = await openClientStore(folder)
  // What the world's own journal and disk have besides is for tests that look into them.
  const journal = { ...store.slots, records: [], onPut: () => Promise.resolve() }
  const world = await createMoneyWorld({ timers, journal, disk: { ...store.tokens, tokens: [] } })
  const hopOptions = { nowMs: timers.nowMs, pool: LASTING_POOL, firstIndexOf }
  await using entry = await startTestHop(1, hopOptions)
  await using exit = await startTestHop(2, hopOptions)
  const first = await open(world, entry, 'link', say)
  await payAll(first, TICKETS, 1)
  await payForTokens(world, exit, say)
  await spendTokens(world, exit, say)
  // The entry's slot is over, and the next one follows.
  await world.slots.retire(entry.shown.at(-1)?.nullifier ?? assert.fail(), 'full')
  await payAll(await open(world, entry, 'link', say), 1, UNITS)
  await world.stock.closeAll()
}

/** A slot on a way to a hop. */
type Paying = {
  readonly session: SlotSession
  /** Resolves when tickets may be signed that could not be before. */
  ready(): Promise<void>
  send(message: ClientPayMessage): void
  answer(): Promise<PayMessage>
}

async function open(world: MoneyWorld, hop: TestHop, use: SlotUse, say: Say): Promise<Paying> {
  const { key } = hop.node
  const tariff = tariffOf(LASTING_POOL, hop.node)
  assert.ok(tariff)
  let ready = Promise.withResolvers<void>()
  const others: PayMessage[] = []
  let came = Promise.withResolvers<void>()
  const session = createSlotSession(
    { ...world.sessionDeps, pool: LASTING_POOL },
    { key, use, tariff },
    {
      onReady: () => ready.resolve(),
      onVoid: () => assert.fail(),
      onSlotOver: () => assert.fail(),
      onFault: () => assert.fail(),
    },
  )
  const carrier = hop.carrier()
  carrier.listen({
    onPay(pay) {
      if (session.onPay(pay)) return
      others.push(pay)
      came.resolve()
    },
    onClosed: () => session.onClosed(),
  })
  const send = (messages: readonly ClientPayMessage[]): void => {
    for (const message of messages) say('sent', message)
    carrier.send(messages)
  }
  await session.open({ isClosed: false, send }, NEVER)
  return {
    session,
    async ready() {
      await ready.promise
      ready = Promise.withResolvers()
    },
    send: (message) => send([message]),
    async answer() {
      for (;;) {
        const next = others.shift()
        if (next) return next
        await came.promise
        came = Promise.withResolvers()
      }
    },
  }
}

async function payAll(paying: Paying, tickets: number, units: number): Promise<void> {
  for (let paid = 0; paid < tickets;) {
    if (paying.session.pay(units)) paid++
    else await paying.ready()
  }
}

async function payForTokens(world: MoneyWorld, hop: TestHop, say: Say): Promise<void> {
  const { stock, timers } = world
  const { nodeId, tokenKeysHash } = hop.node.entry.descriptor
  const paying = await open(world, hop, 'tokens', say)
  await stock.open(nodeId, [BANDWIDTH], timers.nowMs())
  paying.send({ kind: PAY.KEYS_GET })
  const keys = await paying.answer()
  assert.ok(keys.kind === PAY.KEYS && tokenKeysHash)
  assert.equal(stock.acceptKeys(nodeId, keys, tokenKeysHash, timers.nowMs()), 'ok')
  await payAll(paying, (TOKENS * TOKEN_UNITS) / UNITS, UNITS)
  const order = { node: nodeId, kind: BANDWIDTH, count: TOKENS, units: 0 }
  const buy = stock.startPurchase(order, timers.nowMs())
  assert.ok(buy)
  paying.send(buy)
  const sold = await paying.answer()
  assert.ok(sold.kind === PAY.SOLD)
  const result = await stock.finishPurchase(nodeId, sold, timers.nowMs())
  assert.ok(result.type === 'stocked' && result.count === TOKENS)
}

/** On circuits: here it is enough that they leave. */
async function spendTokens({ stock, timers }: MoneyWorld, hop: TestHop, say: Say): Promise<void> {
  const { nodeId } = hop.node.entry.descriptor
  for (let spent = 0; spent < SPENDS;) {
    const token = stock.spend(nodeId, BANDWIDTH, timers.nowMs())
    if (token) {
      say('sent', token)
      spent++
    } else await stock.refill(nodeId, BANDWIDTH)
  }
}
