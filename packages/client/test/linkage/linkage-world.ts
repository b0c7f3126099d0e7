/**
 * Twenty clients, their circuits and their slots over hops in memory: the core's own machines at both ends of each circuit, tunnels' and control circuits' alike, with real handshakes, layers, tickets, tokens
 * and receipts; slots are stamped, not proved, and the chain is a list. All that a hop or the chain gets to see is noted, with whose it was. Every key of a client comes out of the seed. Hops make blind
 * signatures in threads, in real time and with OpenSSL's keys: so what a client draws next for which hop is not the same in each run of a seed, only the stream that it draws from.
 */
import assert from 'node:assert/strict'
import { UNIT_BYTES } from '@byway/protocol/ticket'
import type { ClientPayMessage } from '@byway/protocol/wire'
import { testNode } from '../../../protocol/test/circuit/circuit-harness.ts'
import type { ReceiptSigner } from '../../src/money/receipts.ts'
import type { Shop } from '../../src/money/shop.ts'
import { createHandTimers, type HandTimers } from '../engine/hand-timers.ts'
import { createMoneyWorld, NEVER, START_MS, type MoneyWorld } from '../money/money-world.ts'
import { POOL, startTestHop } from '../money/test-hop.ts'
import { type ChainAsking, createChainAsking } from './chain-asking.ts'
import { ChainList } from './chain-list.ts'
import { createKeyStream, freshSecret } from './key-stream.ts'
import { createClientKeys } from './linkage-client.ts'
import { shuffled } from './observations.ts'
import { type Client, entryUnit, type Hop, openEntry, openShop, type Paying } from './paying.ts'
import { placeOf, Recorder } from './recorder.ts'
import { openTunnel } from './tunnel-play.ts'
import { buildWire, type Wire } from './wire.ts'
import { createWayBack, type WayBack } from './way-back.ts'

/** Dear enough for some slots to be won in twice. */
const PRICE_STEP = 8
/** Slots of a deposit: for two guards, for each hop after them, for withdrawals, and some that stay. */
const SIZES = [18, 20, 24] as const
/** Of circuits die under their tunnels. */
const LOST_PART = 1 / 8

export type LinkageOptions = {
  readonly clients: number
  readonly hops: number
  readonly seed: number
}

export type LinkageWorld = AsyncDisposable & {
  readonly recorder: Recorder
  /** Wins that providers were paid, and requests of each kind that relayers carried out. */
  readonly wayBack: WayBack
  /** So many circuits, each of a client at random. A tunnel is one isolation key's; some need two circuits. */
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
  await world.payIn()
  await world.openAll()
  return world
}

/** A circuit to be, and what its middle is paid with. */
type Way = {
  readonly entry: Hop
  readonly middle: Hop
  readonly exit: Hop
  readonly atMiddle: ClientPayMessage
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
  #tunnels = 0
  readonly #paying: Paying
  #asking: ChainAsking | undefined

  constructor(seed: number, timers: HandTimers, hops: readonly Hop[]) {
    const bytes = createKeyStream(seed, 'world')
    this.#seed = seed
    this.#random = () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32
    this.#timers = timers
    this.#hops = hops
    this.#paying = { recorder: this.recorder, hops, timers, life: 0, controls: 0 }
    this.wayBack = createWayBack({
      clients: this.#clients,
      paying: this.#paying,
      chain: this.#chain,
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
    const slots = this.#pick(SIZES)
    client.deposits.push(this.#chain.insert(number, unit, secret, slots * POOL.unitsPerSlot))
    // Who paid it in is on the chain for all to see.
    this.recorder.value(number, unit, 'deposit.from', client.randomBytes(20))
  }

  /** The same on a chain that is one, through nodes. */
  async payIn(): Promise<void> {
    this.#asking = await createChainAsking(this.#paying)
    for (const client of this.#clients) await this.#asking.payIn(client, `deposit ${client.number}`)
    await this.#asking.publish()
  }

  /** Fresh links, keepers and shops over what is on the disk, and each reads the chain anew. */
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
    await this.#asking?.moveOn()
    for (const client of shuffled(this.#clients, this.#random)) await this.#asking?.read(client)
  }

  async carry(circuits: number): Promise<void> {
    for (const end = this.#circuits + circuits; this.#circuits < end;)
      await this.#browse(this.#pick(this.#clients), end - this.#circuits)
  }

  async takeBack(): Promise<void> {
    for (const { shop } of this.#clients) await this.#settled(shop.stop())
    await this.wayBack.run()
    await this.openAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { shop } of this.#clients) await this.#settled(shop.stop())
    await this.#asking?.[Symbol.asyncDispose]()
    for (const { pay } of this.#hops) await pay[Symbol.asyncDispose]()
  }

  /** Circuits of one tunnel: the first, and sometimes another by other ways to the same exit, where the first has died. Returns how many. */
  async #browse(client: Client, most: number): Promise<number> {
    const exit = this.#pick(this.#hops)
    const number = this.#tunnels++
    const way = await this.#way(client, exit)
    const admission = await this.#settled(client.shop.admission(exit.pay.node, NEVER))
    const atExit = await this.#token(client, exit)
    let units = this.#unitsOf(client, way, number)
    const play = openTunnel(this.#wire(client, way, units), {
      randomBytes: client.randomBytes,
      random: this.#random,
      onMessage: (hop, message) =>
        this.recorder.message(client.number, units[hop] ?? assert.fail(), 'circuit', message),
    })
    const pay = ({ atMiddle, entry }: Way): void => {
      assert.ok(play.tunnel.payHop(1, atMiddle))
      client.entries.get(entry)?.onCounted(UNIT_BYTES)
    }
    pay(way)
    assert.ok(play.tunnel.pay(admission) && play.tunnel.pay(atExit))
    play.browse()
    await this.#pass(50)
    const isLost = most > 1 && this.#random() < LOST_PART
    if (isLost) {
      const other = await this.#way(client, exit)
      units = this.#unitsOf(client, other, number)
      play.rejoin(this.#wire(client, other, units))
      pay(other)
      play.browse()
      await this.#pass(50)
    }
    play.close()
    return isLost ? 2 : 1
  }

  /** A guard and a middle that is paid, for an exit. */
  async #way(client: Client, exit: Hop): Promise<Way> {
    const guards = client.guards.filter((guard) => guard !== exit)
    const entry = guards[Math.floor(client.random() * guards.length)] ?? assert.fail()
    const middle = this.#pick(this.#hops.filter((hop) => hop !== entry && hop !== exit))
    return { entry, middle, exit, atMiddle: await this.#token(client, middle) }
  }

  /** What belongs together for each hop. */
  #unitsOf(client: Client, { entry }: Way, tunnel: number): readonly string[] {
    return [
      entryUnit(this.#paying, client, entry),
      `circuit ${this.#circuits++} at middle`,
      `tunnel ${tunnel} at exit`,
    ]
  }

  #wire(client: Client, { entry, middle, exit }: Way, units: readonly string[]): Wire {
    return buildWire(this.recorder, {
      client: client.number,
      nodes: [entry, middle, exit].map(({ node }) => node),
      places: units.map(placeOf),
      role: 'circuit',
      randomBytes: client.randomBytes,
    })
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] ?? assert.fail()
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
