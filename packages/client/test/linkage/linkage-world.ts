/**
 * Twenty clients, their circuits and their slots over hops in memory: the core's own machines at both ends of each circuit and carrier, with real handshakes, layers, tickets and tokens;
 * slots are stamped, not proved, and the chain is a list. All that a hop or the chain gets to see is noted, field by field, with whose it was.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createHopLayers, createOriginLayers } from '@byway/protocol/circuit'
import { toHex } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { DepositLeaf } from '@byway/protocol/payment'
import { depositLeaf, identityCommitment, UNIT_BYTES, u256Bytes } from '@byway/protocol/ticket'
import {
  appendHopMessage,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  decodeHopMessage,
  HOP_MESSAGE,
  LINK_MESSAGE,
  MessageListWriter,
  messagesIn,
  PAY,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { ClientPayMessage, HopMessage, PayMessage } from '@byway/protocol/wire'
import { attempt, testNode, type TestNode } from '../../../protocol/test/circuit/circuit-harness.ts'
import { createStampProver } from '../../../protocol/test/ticket/stamp-proofs.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { createEntryPayer } from '../../src/money/entry-payer.ts'
import type { LinkPayer } from '../../src/money/metered-link.ts'
import type { SlotAuthoriser } from '../../src/money/ports.ts'
import { createProofAuthoriser } from '../../src/money/proof-authoriser.ts'
import { createShop, type Shop } from '../../src/money/shop.ts'
import { tariffOf } from '../../src/money/tariff.ts'
import { visitHop } from '../../src/money/visit.ts'
import { createFakeLink } from '../engine/fake-link.ts'
import { createHandTimers, type HandTimers } from '../engine/hand-timers.ts'
import {
  createMoneyWorld,
  createTestJournal,
  NEVER,
  START_MS,
  type MoneyWorld,
  type TestJournal,
} from '../money/money-world.ts'
import { POOL, startTestHop, type TestHop } from '../money/test-hop.ts'
import { fieldsOf, shuffled, type Observation } from './observations.ts'
import { freshSecret, giveBack, joinRests } from './returning.ts'

/** Of a deposit: for two guards, for each hop after them, and some that stay. */
const SLOTS = 10

export type LinkageOptions = {
  readonly clients: number
  readonly hops: number
  readonly random: () => number
}

type Hop = { readonly pay: TestHop; readonly node: TestNode }

type Deposit = { readonly secret: bigint; readonly limit: number; readonly isPastKnown: boolean }

type Client = {
  readonly number: number
  readonly guards: readonly Hop[]
  readonly journal: TestJournal
  readonly authoriser: SlotAuthoriser
  readonly deposits: Deposit[]
  money: MoneyWorld
  shop: Shop
  entries: ReadonlyMap<Hop, LinkPayer>
}

export type LinkageWorld = AsyncDisposable & {
  readonly seen: readonly Observation[]
  /** So many circuits, each of a client at random, with an isolation key of its own. */
  carry(circuits: number): Promise<void>
  /** Every slot that was shown comes back through a relayer; what that leaves is joined, twice, to deposits whose slots are shown later on like any other. */
  takeBack(): Promise<void>
}

export async function createLinkageWorld(options: LinkageOptions): Promise<LinkageWorld> {
  const timers = createHandTimers(START_MS)
  const { nowMs } = timers
  const hops = await Promise.all(
    Array.from({ length: options.hops }, async (_, i): Promise<Hop> => {
      return { pay: await startTestHop(i + 1, { nowMs }), node: testNode(i + 1) }
    }),
  )
  const world = new World(options.random, timers, hops)
  for (let number = 0; number < options.clients; number++) await world.join(number)
  await world.openAll()
  return world
}

class World implements LinkageWorld {
  readonly seen: Observation[] = []
  readonly #random: () => number
  readonly #timers: HandTimers
  readonly #hops: readonly Hop[]
  readonly #clients: Client[] = []
  readonly #tree = createLeafTree()
  readonly #leaves: DepositLeaf[] = []
  /** The newest that was published. */
  #root = 0n
  readonly #joined = new Set<string>()
  #joinings = 0
  /** By nullifier: the unit whose observer knows it. */
  readonly #unitOfSlot = new Map<string, string>()
  #circuits = 0
  #life = 0

  constructor(random: () => number, timers: HandTimers, hops: readonly Hop[]) {
    this.#random = random
    this.#timers = timers
    this.#hops = hops
  }

  async join(number: number): Promise<void> {
    const journal = createTestJournal()
    const guards = shuffled(this.#hops, this.#random).slice(0, 2)
    const deposits: Deposit[] = []
    const authoriser = createProofAuthoriser({
      crypto: nodeTicketCrypto,
      createTree: createLeafTree,
      pool: POOL,
      chain: {
        leaves: (from) => Promise.resolve(this.#leaves.slice(from)),
        newestRoot: () =>
          Promise.resolve({
            root: u256Bytes(this.#root),
            publishedAtS: 1,
            supersededAtS: undefined,
          }),
      },
      deposits: () => Promise.resolve(client.deposits),
      sessionSecret: new Uint8Array(randomBytes(32)),
      prover: createStampProver(POOL),
      random: this.#random,
      nowMs: () => performance.now(),
    })
    const none = undefined as unknown
    const client: Client = {
      number,
      guards,
      journal,
      authoriser,
      deposits,
      money: none as MoneyWorld,
      shop: none as Shop,
      entries: new Map(),
    }
    this.#clients.push(client)
    const deposit = this.#insert(
      client,
      freshSecret(),
      SLOTS * POOL.unitsPerSlot,
      `deposit ${number}`,
    )
    deposits.push(deposit)
    // Who paid it in is on the chain for all to see.
    this.#note(client, `deposit ${number}`, 'deposit.from', new Uint8Array(randomBytes(20)))
  }

  /** Fresh links, keepers and shops over what is on the disk. */
  async openAll(): Promise<void> {
    this.#life++
    this.#root = this.#tree.root
    for (const client of this.#clients) {
      const { journal, authoriser: slotsFrom } = client
      client.money = await createMoneyWorld({ journal, slotsFrom, timers: this.#timers })
      client.shop = this.#openShop(client)
      client.shop.start()
      client.entries = new Map(client.guards.map((hop) => [hop, this.#openEntry(client, hop)]))
    }
  }

  async carry(circuits: number): Promise<void> {
    for (let i = 0; i < circuits; i++) {
      const client = this.#clients[Math.floor(this.#random() * this.#clients.length)]
      assert.ok(client)
      await this.#circuit(client, this.#circuits++)
    }
  }

  async takeBack(): Promise<void> {
    for (const client of this.#clients) {
      await this.#settled(client.shop.stop())
      for (const record of await client.journal.all()) {
        client.deposits.push(await this.#comeBack(client, record.nullifier))
        await client.journal.put({ ...record, standing: 'refused' })
      }
    }
    // The second time also what the leaf of the first has beyond its slots.
    for (let times = 0; times < 2; times++) await this.#joinRests()
    await this.openAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { shop } of this.#clients) await this.#settled(shop.stop())
    for (const { pay } of this.#hops) await pay[Symbol.asyncDispose]()
  }

  async #comeBack(client: Client, nullifier: Uint8Array): Promise<Deposit> {
    const unit = this.#unitOfSlot.get(toHex(nullifier)) ?? assert.fail('it was shown')
    const { request, secret, limit } = await giveBack(client, nullifier, this.#relay())
    // Told to a relayer, and by it to the chain.
    this.#noteMessage(client, unit, 'return', { kind: PAY.RETURN, request })
    return this.#insert(client, secret, limit, unit)
  }

  /** Of each client some rests become one leaf; all under one root, as in an interval. */
  async #joinRests(): Promise<void> {
    this.#root = this.#tree.root
    for (const client of this.#clients) {
      const made = await joinRests(client, this.#joined, this.#relay(), this.#random)
      if (!made) continue
      const unit = `joining ${this.#joinings++}`
      this.#noteMessage(client, unit, 'joining', { kind: PAY.RETURN, request: made.request })
      client.deposits.push(this.#insert(client, made.secret, made.limit, unit))
    }
    this.#root = this.#tree.root
  }

  /** Whom the fee is paid, drawn anew. */
  #relay(): Uint8Array {
    const relay = this.#hops[Math.floor(this.#random() * this.#hops.length)]
    return relay?.pay.node.entry.descriptor.provider ?? assert.fail('a relay')
  }

  #insert(client: Client, secret: bigint, limit: number, unit: string): Deposit {
    const idc = identityCommitment(nodeTicketCrypto, secret)
    const leaf = depositLeaf(nodeTicketCrypto, POOL, idc, limit)
    this.#tree.insert(leaf)
    this.#leaves.push({ index: this.#leaves.length, leaf, idc, limit })
    for (const [name, value] of Object.entries({ leaf, idc }))
      this.#note(client, unit, `chain.${name}`, u256Bytes(value))
    return { secret, limit, isPastKnown: true }
  }

  async #circuit(client: Client, number: number): Promise<void> {
    const entry = client.guards[Math.floor(this.#random() * client.guards.length)]
    const [middle, exit] = shuffled(
      this.#hops.filter((hop) => hop !== entry),
      this.#random,
    )
    assert.ok(entry && middle && exit)
    const admission = await this.#settled(client.shop.admission(exit.pay.node, NEVER))
    const [atMiddle, atExit] = [await this.#token(client, middle), await this.#token(client, exit)]
    const units = [
      this.#entryUnit(client, entry),
      `circuit ${number} at middle`,
      `circuit ${number} at exit`,
    ]
    const nodes = [entry, middle, exit].map(({ node }) => node)
    const { result, answers } = attempt(
      nodes,
      { randomBytes: (count) => new Uint8Array(randomBytes(count)) },
      (cell, way, hop) => {
        this.#noteCell(client, units[hop] ?? '', way, cell)
        return cell
      },
    )
    assert.ok(result.type === 'ready')
    const origin = createOriginLayers({
      provider: nodeCrypto,
      hops: result.hops,
      entryLayer: false,
    })
    const layers = answers.map((answer) => {
      assert.ok(answer.type === 'ready')
      const { hop, position, entryLayer } = answer.circuit
      return createHopLayers({ provider: nodeCrypto, hop, position, entryLayer })
    })
    const say = (to: number, messages: readonly HopMessage[]): void => {
      const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.MEDIUM))
      const list = new MessageListWriter().reset(
        cell.subarray(
          CELL_HEADER_BYTES,
          CELL_HEADER_BYTES + origin.listBytes(to, SIZE_CLASS.MEDIUM),
        ),
      )
      for (const message of messages) assert.ok(appendHopMessage(list, message))
      origin.seal(cell, to, SIZE_CLASS.MEDIUM)
      for (const [hop, layer] of layers.entries()) {
        // What the middle gets is what its neighbours have: they share links, and know each other by them.
        if (hop !== 1) this.#noteCell(client, units[hop] ?? '', 'data', cell)
        const opened = layer.openForward(cell)
        if (!(opened instanceof Uint8Array)) continue
        for (const { type, body } of messagesIn(opened))
          this.#noteMessage(client, units[hop] ?? '', 'circuit', decodeHopMessage(type, body))
        return
      }
    }
    say(1, [{ type: HOP_MESSAGE.PAY, pay: atMiddle }])
    say(2, [
      { type: HOP_MESSAGE.OPEN, tunnelId: new Uint8Array(randomBytes(16)) },
      { type: HOP_MESSAGE.PAY, pay: admission },
      { type: HOP_MESSAGE.PAY, pay: atExit },
    ])
    client.entries.get(entry)?.onCounted(UNIT_BYTES)
    await this.#pass(50)
  }

  async #token(client: Client, { pay: { node } }: Hop): Promise<ClientPayMessage> {
    for (let turn = 0; turn < 10_000; turn++) {
      const token = client.shop.spend(node)
      if (token) return token
      await this.#settled(client.shop.provided(node, NEVER))
      await this.#pass(250)
    }
    return assert.fail('tokens are bought')
  }

  #openShop(client: Client): Shop {
    return createShop({
      stock: client.money.stock,
      visit: async (node, orders, onStocked, signal) => {
        const hop = this.#hops.find(({ pay }) => pay.node.key === node.key)
        assert.ok(hop)
        const deps = {
          ...client.money.sessionDeps,
          open: async () => this.#noted(client, 'control', hop.pay.carrier()),
          stock: client.money.stock,
          tariffOf: () => tariffOf(POOL, node),
          accounts: new Map(),
          onStocked,
          onLeaving: (left: Promise<void>) => void left,
          issueDelayMs: 0,
          onFault: () => assert.fail('a fault'),
          nowMs: this.#timers.nowMs,
        }
        await visitHop(deps, node, orders, signal)
      },
      isLeft: () => false,
      // Bought when it is needed: a stock for each would be thousands of signatures.
      hopsInUse: () => [],
      spending: client.money.spending,
      nowMs: this.#timers.nowMs,
      onFailed: (_hop, error) => assert.fail(String(error)),
      timers: this.#timers,
    })
  }

  #openEntry(client: Client, hop: Hop): LinkPayer {
    const link = createFakeLink()
    const carrier = this.#noted(client, 'entry', hop.pay.carrier(), this.#entryUnit(client, hop))
    link.send = (message) => {
      if (message.type === LINK_MESSAGE.PAY) carrier.send([message.pay as ClientPayMessage])
    }
    const payer = createEntryPayer(
      {
        ...client.money.sessionDeps,
        nowMs: this.#timers.nowMs,
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
  #entryUnit({ number }: Client, { pay }: Hop): string {
    return `entry ${number} ${pay.node.key} ${this.#life}`
  }

  /** Notes both ways. What is said on a control circuit is the slot's that is shown there, the only one. */
  #noted(
    client: Client,
    role: string,
    carrier: ControlCarrier,
    entryUnit?: string,
  ): ControlCarrier {
    let unit = entryUnit
    const note = (pay: PayMessage): void => {
      if (pay.kind === PAY.SHOW) {
        const name = toHex(pay.opening.nullifier)
        const shown = entryUnit ?? this.#unitOfSlot.get(name) ?? `slot ${name}`
        assert.ok(unit === undefined || unit === shown, 'one slot on a control circuit')
        unit = shown
        this.#unitOfSlot.set(name, unit)
      }
      // Nothing is said before a slot is shown but the question for the keys, which are everybody's.
      if (unit !== undefined) this.#noteMessage(client, unit, role, pay)
      else assert.ok(pay.kind === PAY.KEYS_GET || pay.kind === PAY.KEYS)
    }
    return {
      get isClosed() {
        return carrier.isClosed
      },
      get carriedBytes() {
        return carrier.carriedBytes
      },
      listen: (listener) =>
        carrier.listen({
          ...listener,
          onClosed: (isLinkLost) => listener.onClosed(isLinkLost),
          onPay(pay) {
            note(pay)
            listener.onPay(pay)
          },
        }),
      send(messages) {
        for (const message of messages) note(message)
        carrier.send(messages)
      },
      close: () => carrier.close(),
    }
  }

  /** A sealed cell: its header, and windows of its body where layers begin. */
  #noteCell(client: Client, unit: string, name: string, cell: Uint8Array): void {
    const body = cell.slice(CELL_HEADER_BYTES)
    for (let at = 0; at < Math.min(body.length, 192); at += 32)
      this.#note(client, unit, `${name}.body`, body.slice(at, at + 32))
    this.#note(client, unit, `${name}.end`, body.slice(-32))
  }

  #noteMessage(client: Client, unit: string, role: string, message: object): void {
    for (const { name, value } of fieldsOf(role, message))
      this.#note(client, unit, name, value instanceof Uint8Array ? value.slice() : value)
  }

  #note({ number }: Client, unit: string, name: string, value: Uint8Array | number): void {
    this.seen.push({ client: number, unit, name, value })
  }

  /** Lets hops answer, and time pass while something is waited for. */
  async #settled<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false }
    const outcome = promise.finally(() => (state.isOver = true))
    do await this.#pass(50)
    while (!state.isOver)
    return await outcome
  }

  /** Lets time pass, unless a hop is still busy: it signs in real time. */
  async #pass(ms: number): Promise<void> {
    await this.#timers.pass(this.#hops.some(({ pay }) => pay.unanswered > 0) ? 0 : ms)
  }
}
