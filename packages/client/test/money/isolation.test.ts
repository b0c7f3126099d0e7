/**
 * Payments link nothing (THREAT-MODEL T26): over many circuits no value that one hop of a circuit sees in payment messages is seen by another, and no value of one circuit is
 * seen in another at the same hop. Values that are the same for everybody (amounts, kinds, roots, a hop's own address and keys) and positions in a hop's own sequence are left
 * out, and so are an opening's root, receipt key and proof, which are fakes here: linkage.test.ts has real ones of all but the proof, and packages/zk/test/blinding.test.ts has that.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toHex } from '@byway/protocol/base'
import type { PathNode } from '@byway/protocol/directory'
import type { TokenOrder } from '@byway/protocol/payment'
import { UNIT_BYTES } from '@byway/protocol/ticket'
import { LINK_MESSAGE, PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { ClientPayMessage, PayMessage } from '@byway/protocol/wire'
import { createEntryPayer } from '../../src/money/entry-payer.ts'
import type { LinkPayer } from '../../src/money/metered-link.ts'
import { createShop } from '../../src/money/shop.ts'
import type { Shop } from '../../src/money/shop.ts'
import { tariffOf } from '../../src/money/tariff.ts'
import { createTunnelPayer } from '../../src/money/tunnel-payer.ts'
import { visitHop } from '../../src/money/visit.ts'
import { createFakeLink } from '../engine/fake-link.ts'
import { createMoneyWorld, NEVER } from './money-world.ts'
import type { MoneyWorld } from './money-world.ts'
import { POOL, startTestHop } from './test-hop.ts'
import type { TestHop } from './test-hop.ts'

const CIRCUITS = process.env['SLOW'] === '1' ? 1000 : 120
const HOPS = 4
/** Two tokens at each hop after the entry. */
const BYTES_PER_CIRCUIT = 5 * UNIT_BYTES
const STEP_BYTES = UNIT_BYTES / 4

/** Values that a hop saw: on its link or control circuits, and on each circuit that it served. */
type Seen = { readonly own: Set<string>; readonly byCircuit: Map<number, Set<string>> }

describe('payments of one client', () => {
  let world: MoneyWorld
  let hops: readonly TestHop[]
  let shop: Shop
  const seen = new Map<string, Seen>()
  const circuits: (readonly TestHop[])[] = []

  before(async () => {
    world = await createMoneyWorld({ slots: 40 })
    const { nowMs } = world.timers
    hops = await Promise.all(Array.from({ length: HOPS }, (_, i) => startTestHop(i + 1, { nowMs })))
    for (const { node } of hops) seen.set(node.key, { own: new Set(), byCircuit: new Map() })
    shop = openShop()
    shop.start()
    const entries = new Map(hops.map((hop) => [hop, openEntry(hop)]))
    for (let circuit = 0; circuit < CIRCUITS; circuit++) {
      const path = shuffled(hops).slice(0, 3)
      circuits.push(path)
      await carry(circuit, path, entries)
    }
    for (const hop of hops) for (const message of hop.said) note(seenBy(hop).own, message)
  })
  after(async () => {
    await shop.stop()
    for (const hop of hops) await hop[Symbol.asyncDispose]()
  })

  function openShop(): Shop {
    return createShop({
      stock: world.stock,
      visit,
      isLeft: () => false,
      hopsInUse: () => hops.map(({ node }) => node),
      spending: world.spending,
      nowMs: world.timers.nowMs,
      onFailed: (_hop, error) => assert.fail(String(error)),
      timers: world.timers,
    })
  }

  async function visit(
    node: PathNode,
    orders: readonly TokenOrder[],
    onStocked: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const hop = hopOf(node)
    const deps = {
      ...world.sessionDeps,
      open: async () => hop.carrier(),
      stock: world.stock,
      tariffOf: () => tariffOf(POOL, node),
      accounts: new Map(),
      onStocked,
      onLeaving: (left: Promise<void>) => void left,
      issueDelayMs: 0,
      onFault: () => assert.fail('a fault'),
      nowMs: world.timers.nowMs,
    }
    await visitHop(deps, node, orders, signal)
  }

  function openEntry(hop: TestHop): LinkPayer {
    const link = createFakeLink()
    const carrier = hop.carrier()
    link.send = (message) => {
      if (message.type === LINK_MESSAGE.PAY) carrier.send([message.pay as ClientPayMessage])
    }
    const payer = createEntryPayer(
      {
        ...world.sessionDeps,
        nowMs: world.timers.nowMs,
        onFault: () => assert.fail('a fault'),
        onUnpayable: (error) => assert.fail(String(error)),
        onGone() {},
        closing: NEVER,
      },
      { key: hop.node.key, tariff: () => tariffOf(POOL, hop.node) },
      link,
    )
    carrier.listen({ onPay: (pay) => payer.onPay(pay), onClosed: () => payer.onClosed() })
    return payer
  }

  /** One circuit from its admission to its end. */
  async function carry(
    circuit: number,
    path: readonly TestHop[],
    entries: ReadonlyMap<TestHop, LinkPayer>,
  ): Promise<void> {
    const [entry, middle, exit] = path
    assert.ok(entry && middle && exit)
    for (let turn = 0; isShort(middle) || isShort(exit); turn++) {
      assert.ok(turn < 10_000, 'tokens are bought')
      await pass(250)
    }
    const admission = await settledWith(shop.admission(exit.node, NEVER))
    const payer = createTunnelPayer(
      {
        shop,
        spending: world.spending,
        records: world.sessionDeps.records,
        onFault: () => assert.fail('a fault'),
        isPaid: () => true,
        nowMs: world.timers.nowMs,
      },
      admission,
    )
    payer.onLeg({
      path: path.map(({ node }) => node),
      rttMs: () => 20,
      send: (message, place) => {
        const hop = place === undefined ? exit : middle
        const values = seenBy(hop).byCircuit.get(circuit) ?? new Set()
        seenBy(hop).byCircuit.set(circuit, values)
        note(values, message)
        return true
      },
    })
    payer.admit()
    for (let carried = 0; carried < BYTES_PER_CIRCUIT; carried += STEP_BYTES) {
      payer.onReceived(STEP_BYTES, STEP_BYTES, true)
      entries.get(entry)?.onCounted(STEP_BYTES)
      await settledWith(Promise.resolve())
    }
    payer.stop()
  }

  /** Lets hops answer, and time pass while something is waited for. */
  async function settledWith<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false }
    const outcome = promise.finally(() => (state.isOver = true))
    do await pass(50)
    while (!state.isOver)
    return await outcome
  }

  /** Lets time pass, unless a hop is still busy: it signs in real time. */
  async function pass(ms: number): Promise<void> {
    await world.timers.pass(hops.some(({ unanswered }) => unanswered > 0) ? 0 : ms)
  }

  function isShort({ node }: TestHop): boolean {
    return world.stock.held(node.entry.descriptor.nodeId, TOKEN_KIND.BANDWIDTH) < 4
  }

  function hopOf({ key }: PathNode): TestHop {
    const hop = hops.find(({ node }) => node.key === key)
    assert.ok(hop)
    return hop
  }

  function seenBy({ node }: TestHop): Seen {
    const known = seen.get(node.key)
    assert.ok(known)
    return known
  }

  it(`were made at every hop of ${CIRCUITS} circuits`, () => {
    for (const hop of hops) {
      assert.ok(hop.tickets.length > CIRCUITS / 2)
      assert.ok(seenBy(hop).byCircuit.size > CIRCUITS / 4)
    }
    const spent = hops.flatMap((hop) => [...seenBy(hop).byCircuit.values()])
    assert.ok(spent.every(({ size }) => size >= 4))
  })

  it('share no value between two hops of a circuit', () => {
    for (const [circuit, path] of circuits.entries()) {
      const views = path.map((hop) => {
        const { own, byCircuit } = seenBy(hop)
        return new Set([...own, ...(byCircuit.get(circuit) ?? [])])
      })
      for (const [i, view] of views.entries())
        for (const other of views.slice(i + 1))
          assert.deepEqual(shared(view, other), [], `circuit ${circuit}`)
    }
  })

  it('share no value between two circuits at one hop, nor with what was bought there', () => {
    for (const hop of hops) {
      const { own, byCircuit } = seenBy(hop)
      const all = new Set(own)
      for (const [circuit, values] of byCircuit) {
        assert.deepEqual(shared(values, all), [], `circuit ${circuit}`)
        for (const value of values) all.add(value)
      }
    }
  })
})

/** Notes every value of a message that could tell one client from another. */
function note(values: Set<string>, message: PayMessage): void {
  for (const [name, value] of Object.entries(message)) {
    if (name === 'opening' && message.kind === PAY.SHOW) {
      const { nullifier, sessionKey } = message.opening
      for (const field of [nullifier, sessionKey]) values.add(toHex(field))
    } else if (!SHARED_BY_ALL.has(name)) noteValue(values, value)
  }
}

function shared(one: ReadonlySet<string>, other: ReadonlySet<string>): readonly string[] {
  return [...one].filter((value) => other.has(value))
}

function noteValue(values: Set<string>, value: unknown): void {
  if (value instanceof Uint8Array) values.add(toHex(value))
  else if (Array.isArray(value)) for (const one of value) noteValue(values, one)
  else if (typeof value === 'object' && value !== null)
    for (const one of Object.values(value)) noteValue(values, one)
}

/** Numbers are amounts, kinds, verdicts, and positions in a hop's own sequence; bytes besides are a hop's address and the names of its keys. */
const SHARED_BY_ALL: ReadonlySet<string> = new Set(['provider', 'keyId', 'keys'])

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}
