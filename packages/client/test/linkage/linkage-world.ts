/**
 * Twenty clients, their circuits and their slots over hops in memory: the core's own machines at both ends of each circuit, tunnels' and control circuits' alike, with real handshakes, layers, tickets, tokens
 * and receipts; slots are stamped, not proved, and the chain is a list. All that a hop or the chain gets to see is noted, with whose it was. Every key of a client comes out of the seed. Hops make blind
 * signatures in threads, in real time and with OpenSSL's keys: so what a client draws next for which hop is not the same in each run of a seed, only the stream that it draws from.
 */
import assert from 'node:assert/strict'
import { UNIT_BYTES } from '@byway/protocol/ticket'
import {
  appendHopMessage,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  decodeHopMessage,
  HOP_MESSAGE,
  MessageListWriter,
  messagesIn,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { ClientPayMessage, HopMessage } from '@byway/protocol/wire'
import { testNode } from '../../../protocol/test/circuit/circuit-harness.ts'
import type { ReceiptSigner } from '../../src/money/receipts.ts'
import type { Shop } from '../../src/money/shop.ts'
import { createHandTimers, type HandTimers } from '../engine/hand-timers.ts'
import { createMoneyWorld, NEVER, START_MS, type MoneyWorld } from '../money/money-world.ts'
import { POOL, startTestHop } from '../money/test-hop.ts'
import { ChainList } from './chain-list.ts'
import { createKeyStream, freshSecret } from './key-stream.ts'
import { createClientKeys } from './linkage-client.ts'
import { shuffled } from './observations.ts'
import { type Client, entryUnit, type Hop, openEntry, openShop, type Paying } from './paying.ts'
import { placeOf, Recorder } from './recorder.ts'
import { buildWire } from './wire.ts'
import { createWayBack, type WayBack } from './way-back.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

/** Dear enough for some slots to be won in twice. */
const PRICE_STEP = 8
/** Of a deposit: for two guards, for each hop after them, for withdrawals, and some that stay. */
const SLOTS = 18

export type LinkageOptions = {
  readonly clients: number
  readonly hops: number
  readonly seed: number
}

export type LinkageWorld = AsyncDisposable & {
  readonly recorder: Recorder
  /** Wins that providers were paid, and requests of each kind that relayers carried out. */
  readonly wayBack: WayBack
  /** So many circuits, each of a client at random, with an isolation key of its own. */
  carry(circuits: number): Promise<void>
  /** Providers are paid what they won; every slot that was shown comes back through a relayer, some that were not are withdrawn; what is left is joined, twice, to deposits whose slots are shown later on like any other. */
  takeBack(): Promise<void>
}

export async function createLinkageWorld(options: LinkageOptions): Promise<LinkageWorld> {
  const timers = createHandTimers(START_MS)
  const { nowMs } = timers
  const hops = await Promise.all(
    Array.from({ length: options.hops }, async (_, i): Promise<Hop> => {
      return {
        pay: await startTestHop(i + 1, { nowMs, priceStep: PRICE_STEP }),
        node: testNode(i + 1),
      }
    }),
  )
  const world = new World(options.seed, timers, hops)
  for (let number = 0; number < options.clients; number++) world.join(number)
  await world.openAll()
  return world
}

class World implements LinkageWorld {
  readonly recorder: Recorder = new Recorder()
  readonly wayBack: WayBack
  readonly #seed: number
  readonly #random: () => number
  readonly #timers: HandTimers
  readonly #hops: readonly Hop[]
  readonly #clients: Client[] = []
  readonly #chain: ChainList = new ChainList(this.recorder)
  #circuits = 0
  readonly #paying: Paying

  constructor(seed: number, timers: HandTimers, hops: readonly Hop[]) {
    const bytes = createKeyStream(seed, 'world')
    this.#seed = seed
    this.#random = () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32
    this.#timers = timers
    this.#hops = hops
    this.#paying = { recorder: this.recorder, hops, timers, life: 0, controls: 0 }
    this.wayBack = createWayBack({
      clients: this.#clients,
      hops: hops.map(({ pay }) => pay),
      chain: this.#chain,
      recorder: this.recorder,
      random: this.#random,
    })
  }

  join(number: number): void {
    const world = { seed: this.#seed, chain: this.#chain, nowMs: this.#timers.nowMs }
    const keys = createClientKeys(world, number)
    const none = undefined as unknown
    const client: Client = {
      ...keys,
      guards: shuffled(this.#hops, this.#random).slice(0, 2),
      money: none as MoneyWorld,
      receipts: none as ReceiptSigner,
      shop: none as Shop,
      entries: new Map(),
    }
    this.#clients.push(client)
    const unit = `deposit ${number}`
    const secret = freshSecret(client.randomBytes)
    client.deposits.push(this.#chain.insert(number, unit, secret, SLOTS * POOL.unitsPerSlot))
    // Who paid it in is on the chain for all to see.
    this.recorder.value(number, unit, 'deposit.from', client.randomBytes(20))
  }

  /** Fresh links, keepers and shops over what is on the disk. */
  async openAll(): Promise<void> {
    this.#paying.life++
    this.#chain.publish()
    for (const client of this.#clients) {
      const { journal, authoriser: slotsFrom, randomBytes: random } = client
      client.money = await createMoneyWorld({ journal, slotsFrom, timers: this.#timers, random })
      client.receipts = client.createReceipts()
      client.shop = openShop(this.#paying, client)
      client.shop.start()
      client.entries = new Map(
        client.guards.map((hop) => [hop, openEntry(this.#paying, client, hop)]),
      )
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
    for (const { shop } of this.#clients) await this.#settled(shop.stop())
    await this.wayBack.run()
    await this.openAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { shop } of this.#clients) await this.#settled(shop.stop())
    for (const { pay } of this.#hops) await pay[Symbol.asyncDispose]()
  }

  async #circuit(client: Client, number: number): Promise<void> {
    const entry = client.guards[Math.floor(client.random() * client.guards.length)]
    const [middle, exit] = shuffled(
      this.#hops.filter((hop) => hop !== entry),
      this.#random,
    )
    assert.ok(entry && middle && exit)
    const admission = await this.#settled(client.shop.admission(exit.pay.node, NEVER))
    const [atMiddle, atExit] = [await this.#token(client, middle), await this.#token(client, exit)]
    const units = [
      entryUnit(this.#paying, client, entry),
      `circuit ${number} at middle`,
      `circuit ${number} at exit`,
    ]
    const { origin, layers, note } = buildWire(this.recorder, {
      client: client.number,
      nodes: [entry, middle, exit].map(({ node }) => node),
      places: units.map(placeOf),
      role: 'circuit',
      randomBytes: client.randomBytes,
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
        note(hop, to === 1 ? 'forward to the middle' : 'forward', cell)
        const opened = layer.openForward(cell)
        if (!(opened instanceof Uint8Array)) continue
        for (const { type, body } of messagesIn(opened))
          this.recorder.message(
            client.number,
            units[hop] ?? '',
            'circuit',
            decodeHopMessage(type, body),
          )
        return
      }
    }
    say(1, [{ type: HOP_MESSAGE.PAY, pay: atMiddle }])
    say(2, [
      { type: HOP_MESSAGE.OPEN, tunnelId: client.randomBytes(16), ...TERMS },
      { type: HOP_MESSAGE.PAY, pay: admission },
      { type: HOP_MESSAGE.PAY, pay: atExit },
    ])
    client.entries.get(entry)?.onCounted(UNIT_BYTES)
    await this.#pass(50)
  }

  async #token(client: Client, { pay: { node } }: Hop): Promise<ClientPayMessage> {
    for (let turn = 0; turn < 10_000; turn++) {
      const token = client.shop.spend(node, 4 * UNIT_BYTES)
      if (token) return token
      await this.#settled(client.shop.provided(node, NEVER))
      await this.#pass(250)
    }
    return assert.fail('tokens are bought')
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
