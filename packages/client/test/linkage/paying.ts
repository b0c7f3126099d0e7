/** How a client of the linkage test pays: a shop that visits hops on real control circuits, and tickets on the links to its guards. */
import assert from 'node:assert/strict'
import { createFreeBucket, createMeter, type Meter } from '@byway/protocol/payment'
import { UNIT_BYTES, unitPrice } from '@byway/protocol/ticket'
import { LINK_MESSAGE, PAY } from '@byway/protocol/wire'
import type { ClientPayMessage } from '@byway/protocol/wire'
import type { TestNode } from '../../../protocol/test/circuit/circuit-harness.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { createEntryPayer, type EntryPayer } from '../../src/money/entry-payer.ts'
import type { HopAccount } from '../../src/money/hop-account.ts'
import type { ReceiptSigner } from '../../src/money/receipts.ts'
import { createShop, type Shop } from '../../src/money/shop.ts'
import { tariffOf } from '../../src/money/tariff.ts'
import { visitHop } from '../../src/money/visit.ts'
import { createFakeLink } from '../engine/fake-link.ts'
import type { HandTimers } from '../engine/hand-timers.ts'
import { NEVER, type MoneyWorld } from '../money/money-world.ts'
import { POOL, type TestHop } from '../money/test-hop.ts'
import type { ClientKeys } from './linkage-client.ts'
import { type Place, placeOf, type Recorder } from './recorder.ts'
import { openControl } from './wire.ts'

/** What all clients share. */
export type Paying = {
  readonly recorder: Recorder
  readonly hops: readonly Hop[]
  readonly timers: HandTimers
  /** How often clients have started, and control circuits so far. */
  life: number
  controls: number
}

export type Hop = { readonly pay: TestHop; readonly node: TestNode }

export type Client = ClientKeys & {
  readonly guards: readonly Hop[]
  money: MoneyWorld
  receipts: ReceiptSigner
  shop: Shop
  entries: ReadonlyMap<Hop, Entry>
  /** What was paid at each hop and not used, of this life. */
  accounts: Map<string, HopAccount>
  /** The hops after the entry of the tunnel that is open. */
  inUse: readonly Hop[]
}

/** A link to a guard: who pays for it, and what the guard counts. */
export type Entry = { readonly payer: EntryPayer; readonly meter: Meter }

// As in the real network (docs/LIMITS.md, SPEC §15.3).
export const ISSUE_DELAY_MS = 15_000
/** What a link has for nothing at first. */
const FREE_LINK_BYTES = 1024 * 1024
/** To a guard and back. */
const RTT_MS = 40

export function openShop(paying: Paying, client: Client): Shop {
  return createShop({
    stock: client.money.stock,
    visit: async (node, orders, onStocked, signal) => {
      const hop = paying.hops.find(({ pay }) => pay.node.key === node.key)
      assert.ok(hop)
      const deps = {
        ...client.money.sessionDeps,
        receipts: client.receipts,
        open: async () => openPurchases(paying, client, hop),
        stock: client.money.stock,
        tariffOf: () => tariffOf(POOL, node),
        accounts: client.accounts,
        onStocked,
        onLeaving: (left: Promise<void>) => void left,
        issueDelayMs: ISSUE_DELAY_MS,
        onFault: () => assert.fail('a fault'),
        nowMs: paying.timers.nowMs,
      }
      await visitHop(deps, node, orders, signal)
    },
    isLeft: () => false,
    hopsInUse: () => client.inUse.map(({ pay }) => pay.node),
    spending: client.money.spending,
    nowMs: paying.timers.nowMs,
    onFailed: (_hop, error) => assert.fail(String(error)),
    timers: paying.timers,
  })
}

export function openEntry(paying: Paying, client: Client, hop: Hop): Entry {
  const { nowMs } = paying.timers
  const link = createFakeLink()
  link.rttMs = RTT_MS
  const free = createFreeBucket({ capacityBytes: FREE_LINK_BYTES, bytesPerS: 0 }, nowMs())
  const meter = createMeter(free)
  const price = unitPrice(POOL, hop.pay.node.entry.descriptor.priceStep)
  const place = placeOf(entryUnit(paying, client, hop))
  const carrier = paying.recorder.carrier(client.number, 'entry', hop.pay.carrier(), place)
  link.send = (message) => {
    if (message.type !== LINK_MESSAGE.PAY) return
    const { pay } = message
    carrier.send([pay as ClientPayMessage])
    if (pay.kind === PAY.TICKET) meter.pay(Number(pay.amount / price) * UNIT_BYTES, nowMs())
  }
  const payer = createEntryPayer(
    {
      ...client.money.sessionDeps,
      receipts: client.receipts,
      nowMs,
      onFault: () => assert.fail('a fault'),
      onUnpayable: (error) => assert.fail(String(error)),
      onGone() {},
      closing: NEVER,
    },
    { key: hop.pay.node.key, tariff: () => tariffOf(POOL, hop.pay.node) },
    link,
  )
  carrier.listen({ onPay: (pay) => payer.onPay(pay), onClosed: () => payer.onClosed() })
  return { payer, meter }
}

/** An entry knows its client by its address, in any case: all on a link is one unit. */
export function entryUnit({ life }: Paying, { number }: Client, { pay }: Hop): string {
  return `entry ${number} ${pay.node.key} ${life}`
}

/** Whose the last hop's view of a control circuit is, and what it says there. */
export type ControlEnd = {
  readonly carrier: ControlCarrier
  readonly place: Place
  /** What the circuit is for: names its cells. */
  readonly role: string
}

/** By way of a guard and another hop; each circuit is one by itself for its middle. */
export function openControlTo(
  paying: Paying,
  client: Client,
  hop: Hop,
  { carrier, place, role }: ControlEnd,
): ControlCarrier {
  const { number, random, randomBytes } = client
  const guards = client.guards.filter((guard) => guard !== hop)
  const entry = guards[Math.floor(random() * guards.length)]
  const others = paying.hops.filter((other) => other !== hop && other !== entry)
  const middle = others[Math.floor(random() * others.length)]
  assert.ok(entry && middle)
  const places = [
    placeOf(entryUnit(paying, client, entry)),
    placeOf(`${role} ${paying.controls++} at middle`),
    place,
  ]
  const nodes = [entry, middle, hop].map(({ node }) => node)
  const path = { client: number, nodes, places, role, randomBytes }
  return openControl(paying.recorder, path, carrier)
}

/** Where slots are shown and tokens bought. */
function openPurchases(paying: Paying, client: Client, hop: Hop): ControlCarrier {
  const place = placeOf()
  const carrier = paying.recorder.carrier(client.number, 'control', hop.pay.carrier(), place)
  return openControlTo(paying, client, hop, { carrier, place, role: 'control' })
}
