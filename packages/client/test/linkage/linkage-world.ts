/**
 * Twenty clients, their circuits and their slots over hops in memory: the core's own machines at both ends of each circuit, tunnels' and control circuits' alike, with real handshakes, layers, tickets, tokens
 * and receipts, and the client's own payers, that decide what is paid when; of what people fetch only so much is made as simulated time passes by. Slots are stamped, not proved, and the chain is a list. All that a hop or the chain gets to see is noted, with whose it was. Every key of a client comes out of the seed. Hops make blind
 * signatures in threads, in real time and with OpenSSL's keys: simulated time stands still meanwhile, and answers come in the order of the questions, so that nothing else differs between two runs of a seed.
 */
import assert from 'node:assert/strict'
import { UNIT_BYTES, unitPrice } from '@byway/protocol/ticket'
import { classesOf, tunnelTerms } from '@byway/protocol/wire'
import type { SpendMessage, TunnelTerms } from '@byway/protocol/wire'
import { testNode } from '../../../protocol/test/circuit/circuit-harness.ts'
import type { ReceiptSigner } from '../../src/money/receipts.ts'
import type { Shop } from '../../src/money/shop.ts'
import { createHandTimers, type HandTimers, settle } from '../engine/hand-timers.ts'
import { createMoneyWorld, NEVER, START_MS, type MoneyWorld } from '../money/money-world.ts'
import { POOL, startTestHop } from '../money/test-hop.ts'
import { type ChainAsking, createChainAsking } from './chain-asking.ts'
import { ChainList } from './chain-list.ts'
import { createKeyStream, freshSecret } from './key-stream.ts'
import { createClientKeys } from './linkage-client.ts'
import { shuffled } from './observations.ts'
import { openPaidTunnel, type PaidLeg } from './paid-tunnel.ts'
import {
  type Client,
  entryUnit,
  type Hop,
  ISSUE_DELAY_MS,
  openEntry,
  openShop,
  type Paying,
} from './paying.ts'
import { placeOf, Recorder } from './recorder.ts'
import { buildWire } from './wire.ts'
import { createWayBack, type WayBack } from './way-back.ts'

/** Dear enough for some slots to be won in twice. */
const PRICE_STEP = 6
/** What the exits ask for those who collect. */
const COLLECT_STEPS = [6, 7, 8, 8]
/** Slots of a deposit: for two guards, for each hop after them, for downloads, for withdrawals, and some that stay. */
const SIZES = [40, 44, 48] as const
/** These clients download now and then, the others never. */
const HEAVY_CLIENTS = 8
/** Of their tunnels. */
const DOWNLOAD_PART = 1 / 8
const MIB = 1024 * 1024
/** MiB, from and to, and how fast in bytes a millisecond. Half a gigabyte is the least for bulk tokens, 34 MB/s the slowest. */
const DOWNLOAD = [600, 1000, [40_000, 60_000, 90_000]] as const
const PAGES = [0.1, 12, [1000, 4000, 10_000]] as const
/** Of circuits die under their tunnels. */
const LOST_PART = 1 / 8

export type LinkageOptions = {
  readonly clients: number
  readonly hops: number
  readonly seed: number
}

export type LinkageWorld = AsyncDisposable & {
  readonly recorder: Recorder
  /** Which of its clients download now and then. */
  readonly downloads: (client: number) => boolean
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
  const inTurn = createTurns()
  const hops = await Promise.all(
    Array.from({ length: options.hops }, async (_, i): Promise<Hop> => {
      return {
        pay: await startTestHop(i + 1, {
          nowMs,
          priceStep: PRICE_STEP,
          issueDelayMs: ISSUE_DELAY_MS,
          inTurn,
          classPrices: { browse: PRICE_STEP, collect: COLLECT_STEPS[i] ?? PRICE_STEP },
        }),
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

/** What a tunnel carries, and how fast it comes. */
type Flow = { readonly bytes: number; readonly bytesPerMs: number }

class World implements LinkageWorld {
  readonly recorder: Recorder = new Recorder(
    (amount) => Number(amount / unitPrice(POOL, PRICE_STEP)) * UNIT_BYTES,
  )
  readonly downloads = (client: number): boolean => client < HEAVY_CLIENTS
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
      accounts: new Map(),
      inUse: [],
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
      client.accounts = new Map()
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
    const leg = this.#leg(client, exit, number)
    const terms = this.#termsAt(exit)
    const flow = this.#flowOf(client)
    client.inUse = [leg.middle, exit]
    const admission = await this.#settled(this.#provide(client, leg))
    const isLost = most > 1 && this.#random() < LOST_PART
    const tunnel = openPaidTunnel(leg, {
      client,
      paying: this.#paying,
      terms,
      admission,
      random: this.#random,
      pass: (ms) => this.#pass(ms),
    })
    tunnel.browse()
    await tunnel.carry(flow.bytes, flow.bytesPerMs)
    if (isLost) {
      const other = this.#leg(client, exit, number)
      await this.#settled(this.#provide(client, other))
      tunnel.rejoin(other)
      tunnel.browse()
      await tunnel.carry(flow.bytes, flow.bytesPerMs)
    }
    tunnel.close()
    return isLost ? 2 : 1
  }

  /** Who is to be paid is ready for it before anything goes over a circuit, as in the client. */
  async #provide(client: Client, { entry, middle, exit }: PaidLeg): Promise<SpendMessage> {
    const { shop, entries } = client
    await Promise.all([entries.get(entry)?.payer.ready(), shop.provided(middle.pay.node, NEVER)])
    return shop.admission(exit.pay.node, NEVER)
  }

  /** What a tunnel carries: whose it is says whether it may be a download, and nothing else about it. */
  #flowOf({ number }: Client): Flow {
    const isDownload = this.downloads(number) && this.#random() < DOWNLOAD_PART
    const [least, most, rates] = isDownload ? DOWNLOAD : PAGES
    return { bytes: least * (most / least) ** this.#random() * MIB, bytesPerMs: this.#pick(rates) }
  }

  /** What a client reads in the exit's descriptor; which class it asks for is nobody's habit here. */
  #termsAt({ pay: { node } }: Hop): TunnelTerms {
    const { descriptor } = node.entry
    return tunnelTerms(descriptor, this.#pick(classesOf(descriptor.classPrices))) ?? assert.fail()
  }

  /** A guard and a middle for an exit, and what belongs together for each hop. */
  #leg(client: Client, exit: Hop, tunnel: number): PaidLeg {
    const guards = client.guards.filter((guard) => guard !== exit)
    const entry = guards[Math.floor(client.random() * guards.length)] ?? assert.fail()
    const middle = this.#pick(this.#hops.filter((hop) => hop !== entry && hop !== exit))
    const units = [
      entryUnit(this.#paying, client, entry),
      `circuit ${this.#circuits++} at middle`,
      `tunnel ${tunnel} at exit`,
    ]
    const wire = buildWire(this.recorder, {
      client: client.number,
      nodes: [entry, middle, exit].map(({ node }) => node),
      places: units.map(placeOf),
      role: 'circuit',
      randomBytes: client.randomBytes,
    })
    return { entry, middle, exit, units, wire }
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] ?? assert.fail()
  }

  /** Lets hops answer, and time pass while something is waited for. */
  async #settled<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false }
    const outcome = promise.finally(() => (state.isOver = true))
    do await this.#pass(50)
    while (!state.isOver)
    return await outcome
  }

  /** Lets time pass, but not while a hop is busy: it signs in real time. */
  async #pass(ms: number): Promise<void> {
    const { nowMs, waiting, pass } = this.#timers
    const endMs = nowMs() + ms
    for (;;) {
      do await pass(0)
      while (this.#hops.some(({ pay }) => pay.unanswered > 0))
      if (nowMs() >= endMs) return
      const [next = ms] = waiting()
      await pass(Math.min(next, endMs - nowMs()))
    }
  }
}

/** Answers come in the order in which they were asked for, whichever hop's thread is done first, and each has its effects before the next. */
function createTurns(): <T>(answer: Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve()
  return (answer) => {
    const mine = turn.then(() => answer)
    turn = mine.then(() => settle())
    return mine
  }
}
