/** How a client of the linkage test pays: a shop that visits hops on real control circuits, and tickets on the links to its guards. */
import assert from 'node:assert/strict'
import { LINK_MESSAGE } from '@byway/protocol/wire'
import type { ClientPayMessage } from '@byway/protocol/wire'
import type { TestNode } from '../../../protocol/test/circuit/circuit-harness.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { createEntryPayer } from '../../src/money/entry-payer.ts'
import type { LinkPayer } from '../../src/money/metered-link.ts'
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
  entries: ReadonlyMap<Hop, LinkPayer>
}

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
        accounts: new Map(),
        onStocked,
        onLeaving: (left: Promise<void>) => void left,
        issueDelayMs: 0,
        onFault: () => assert.fail('a fault'),
        nowMs: paying.timers.nowMs,
      }
      await visitHop(deps, node, orders, signal)
    },
    isLeft: () => false,
    // Bought when it is needed: a stock for each would be thousands of signatures.
    hopsInUse: () => [],
    spending: client.money.spending,
    nowMs: paying.timers.nowMs,
    onFailed: (_hop, error) => assert.fail(String(error)),
    timers: paying.timers,
  })
}

export function openEntry(paying: Paying, client: Client, hop: Hop): LinkPayer {
  const link = createFakeLink()
  const place = placeOf(entryUnit(paying, client, hop))
  const carrier = paying.recorder.carrier(client.number, 'entry', hop.pay.carrier(), place)
  link.send = (message) => {
    if (message.type === LINK_MESSAGE.PAY) carrier.send([message.pay as ClientPayMessage])
  }
  const payer = createEntryPayer(
    {
      ...client.money.sessionDeps,
      receipts: client.receipts,
      nowMs: paying.timers.nowMs,
      onFault: () => assert.fail('a fault'),
      onUnpayable: (error) => assert.fail(String(error)),
      onGone() {},
      closing: NEVER,
    },
    { key: hop.pay.node.key, tariff: () => tariffOf(POOL, hop.pay.node) },
    link,
  )
  carrier.listen({ onPay: (pay) => payer.onPay(pay), onClosed: () => payer.onClosed() })
  return payer
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
