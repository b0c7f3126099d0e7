/**
 * An hour of somebody's browsing, seeded, in simulated time: which hops need a slot, and when. The authoriser, its stock, the keeper and the choice of hops are the real ones; proofs
 * are stamps that take as long as proofs do.
 */
import { toHex } from '@byway/protocol/base'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { depositLeaf, identityCommitment, u256Bytes } from '@byway/protocol/ticket'
import { seededRandom } from '../../../../e2e/lib/seeded.ts'
import { createStampProver } from '../../../protocol/test/ticket/stamp-proofs.ts'
import { createHopBook } from '../../src/money/hop-book.ts'
import type { SlotUse } from '../../src/money/ports.ts'
import { createProofAuthoriser } from '../../src/money/proof-authoriser.ts'
import type { SlotProver } from '../../src/money/slot-prover.ts'
import { createSlotKeeper } from '../../src/money/slot-keeper.ts'
import type { SlotKeeper } from '../../src/money/slot-keeper-types.ts'
import { createHandTimers, settle, type HandTimers } from '../engine/hand-timers.ts'
import { createTestJournal, NEVER } from './money-world.ts'
import { POOL } from './test-hop.ts'

/** What proves in it. */
export type ProvingMachine = {
  /** With two, what is made ahead has its own. */
  readonly provers: 1 | 2
  readonly proofMs: number
  /** Of a process that has been idle for long. */
  readonly startMs: number
  /** From the client's start, without anything made ahead, to the first page. */
  readonly firstPageMs: number
}

/** How it went. */
export type Hour = {
  /** Circuits that somebody waited for. */
  readonly builds: number
  /** Of them, those for which no proof had to be waited for. */
  readonly ready: number
  readonly longestWaitMs: number
  readonly slotsShown: number
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
/** The browser brings back yesterday's tabs. */
const TABS = 8
/** Between two pages, on average. */
const PAGE_EVERY_MS = 25 * SECOND_MS
/** Isolation keys that a day brings: sites, profiles, programs. */
const MOST_KEYS = 30
const NEW_KEY_SHARE = 0.2
/** Keys that want an exit in a country of their own. */
const COUNTRY_SHARE = 0.15
const COUNTRIES = 20
const EXITS = 60
const RELAYS = 60
/** A tunnel takes no streams after it; the next page builds another. */
const TUNNEL_MS = 10 * MINUTE_MS
/** From a first slot to tokens in stock. */
const PURCHASE_MS = 60 * SECOND_MS
/** A page fills the slot of its exit, which then wants another. */
const FULL_SHARE = 0.02
const LOOK_MS = MINUTE_MS
/** A root is published in the middle of it: all that was made ahead is void. */
const ROOT_AT_MS = 31 * MINUTE_MS
const HOUR_MS = 60 * MINUTE_MS

type Node = { readonly key: NodeKey; readonly country: number; readonly isExit: boolean }
type Path = readonly [entry: NodeKey, ...others: NodeKey[]]
type BrowsedKey = { readonly country: number | undefined; builtAtMs: number; exit: NodeKey }

/** Lives through one hour. */
export async function browseForAnHour(seed: number, machine: ProvingMachine): Promise<Hour> {
  const hour = new BrowsingHour(seed, machine)
  await hour.live()
  return hour.result
}

class BrowsingHour {
  readonly #machine: ProvingMachine
  readonly #random: () => number
  readonly #timers: HandTimers = createHandTimers()
  readonly #chain = createChain()
  readonly #slots: SlotKeeper
  readonly #stocked = new Set<NodeKey>()
  readonly #weigh: (key: NodeKey, isAhead: boolean) => number
  readonly #keys: BrowsedKey[] = []
  #shelf: Path[] = []
  readonly #waits: number[] = []
  readonly #running: Promise<void>[] = []
  #shown = 0

  constructor(seed: number, machine: ProvingMachine) {
    this.#machine = machine
    this.#random = seededRandom(seed)
    const { nowMs } = this.#timers
    const authoriser = createProofAuthoriser({
      crypto: nodeTicketCrypto,
      createTree: createLeafTree,
      pool: POOL,
      chain: this.#chain,
      deposits: () => Promise.resolve([{ secret: SECRET, limit: LIMIT, isPastKnown: true }]),
      sessionSecret: new Uint8Array(32).fill(9),
      prover: {
        ...createSlowProver(machine, this.#timers),
        proveJoin: createStampProver(POOL).proveJoin,
      },
      random: this.#random,
      nowMs,
    })
    this.#slots = createSlotKeeper({
      authoriser,
      journal: createTestJournal(),
      nowMs,
      onShown: (hop) => this.#onShown(hop),
      onUnknown: () => {},
      onOlder: () => Promise.resolve(),
      isReturning: () => false,
      onLow: () => {},
      closing: NEVER,
    })
    const hops = createHopBook({
      slots: this.#slots,
      nodeOf: (key) => ({ key, entry: { descriptor: { priceStep: 1 } } }) as unknown as PathNode,
      isStocked: (key) => this.#stocked.has(key),
      tariffOf: () => ({ priceStep: 1 }) as never,
      maxPriceStep: 8,
      nowMs,
    })
    this.#weigh = (key, isAhead) =>
      hops.preferenceOf(key, { isAhead, trafficClass: undefined }) ?? 1
  }

  get result(): Hour {
    const ready = this.#waits.filter((ms) => ms === 0).length
    const longestWaitMs = Math.max(...this.#waits)
    return { builds: this.#waits.length, ready, longestWaitMs, slotsShown: this.#shown }
  }

  async live(): Promise<void> {
    await this.#slots.refresh(NEVER)
    this.#every(LOOK_MS, () => void this.#slots.refresh(NEVER))
    const { firstPageMs } = this.#machine
    this.#timers.after(firstPageMs + ROOT_AT_MS, () => this.#chain.publish())
    this.#refillShelf()
    this.#timers.after(firstPageMs, () => {
      for (let tab = 0; tab < TABS; tab++) this.#visit(this.#newKey())
      this.#nextPage()
    })
    await this.#timers.pass(firstPageMs + HOUR_MS)
    await settle()
    await Promise.all(this.#running)
  }

  #nextPage(): void {
    const gapMs = -Math.log(1 - this.#random()) * PAGE_EVERY_MS
    this.#timers.after(gapMs, () => {
      const isNew = this.#keys.length < MOST_KEYS && this.#random() < NEW_KEY_SHARE
      this.#visit(isNew ? this.#newKey() : this.#any(this.#keys))
      this.#nextPage()
    })
  }

  #newKey(): BrowsedKey {
    const country = this.#random() < COUNTRY_SHARE ? this.#below(COUNTRIES) : undefined
    const key = { country, builtAtMs: Number.NEGATIVE_INFINITY, exit: GUARD }
    this.#keys.push(key)
    return key
  }

  #visit(key: BrowsedKey): void {
    if (this.#timers.nowMs() - key.builtAtMs > TUNNEL_MS) this.#build(key)
    else if (this.#random() < FULL_SHARE) this.#need([key.exit], () => this.#fill(key.exit))
  }

  #build(key: BrowsedKey): void {
    const path = (key.country === undefined ? this.#shelf.shift() : undefined) ?? this.#path(key)
    key.builtAtMs = this.#timers.nowMs()
    key.exit = path.at(-1) ?? GUARD
    this.#need(path)
    this.#refillShelf()
  }

  /** Shows a slot to each of these, and notes how long that took. */
  #need(path: readonly NodeKey[], before: () => Promise<void> = async () => {}): void {
    const show = async (): Promise<void> => {
      await before()
      const atMs = this.#timers.nowMs()
      await Promise.all(path.map((hop) => this.#slots.slotFor(hop, useOf(hop), NEVER)))
      this.#waits.push(this.#timers.nowMs() - atMs)
    }
    this.#running.push(show())
  }

  async #fill(exit: NodeKey): Promise<void> {
    const { nullifier } = await this.#slots.slotFor(exit, 'tokens', NEVER)
    await this.#slots.retire(nullifier, 'full')
  }

  /** Circuits in stock: nobody waits for them, but their hops are visited. */
  #refillShelf(): void {
    while (this.#shelf.length < 2) {
      const path = this.#path({ country: undefined }, true)
      this.#shelf.push(path)
      for (const hop of path) this.#running.push(this.#show(hop))
    }
  }

  async #show(hop: NodeKey): Promise<void> {
    await this.#slots.slotFor(hop, useOf(hop), NEVER)
  }

  #path({ country }: Pick<BrowsedKey, 'country'>, isAhead = false): Path {
    const exits = NODES.filter((node) => node.isExit && (country ?? node.country) === node.country)
    const exit = this.#chosen(exits, isAhead)
    if (this.#random() < 0.5) return [GUARD, exit]
    const relays = NODES.filter((node) => !node.isExit)
    return [GUARD, this.#chosen(relays, isAhead), exit]
  }

  #chosen(nodes: readonly Node[], isAhead: boolean): NodeKey {
    const weights = nodes.map(({ key }) => this.#weigh(key, isAhead))
    let left = this.#random() * weights.reduce((sum, weight) => sum + weight, 0)
    const at = weights.findIndex((weight) => (left -= weight) <= 0)
    return nodes[Math.max(0, at)]?.key ?? GUARD
  }

  #onShown(hop: NodeKey): void {
    this.#shown++
    this.#timers.after(PURCHASE_MS, () => void this.#stocked.add(hop))
  }

  #every(ms: number, run: () => void): void {
    this.#timers.after(ms, () => {
      run()
      this.#every(ms, run)
    })
  }

  #any<T>(items: readonly T[]): T {
    const item = items[this.#below(items.length)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}

/** Stamps that take the time of proofs, in as many processes as the machine has. */
function createSlowProver(
  { provers, proofMs, startMs }: ProvingMachine,
  timers: HandTimers,
): SlotProver {
  const stamps = createStampProver(POOL)
  const lanes = Array.from({ length: provers }, () => ({
    waiting: [] as { readonly isAhead: boolean; readonly run: () => void }[],
    isBusy: false,
    idleSinceMs: Number.NEGATIVE_INFINITY,
  }))
  type Lane = (typeof lanes)[number]
  const next = (lane: Lane): void => {
    if (lane.isBusy) return
    const at = lane.waiting.findIndex(({ isAhead }) => !isAhead)
    const [job] = lane.waiting.splice(Math.max(0, at), 1)
    if (!job) return
    lane.isBusy = true
    const isCold = timers.nowMs() - lane.idleSinceMs > IDLE_MS
    timers.after(proofMs + (isCold ? startMs : 0), () => {
      job.run()
      lane.isBusy = false
      lane.idleSinceMs = timers.nowMs()
      next(lane)
    })
  }
  const prove =
    (isAhead: boolean): SlotProver['prove'] =>
    async (witness) => {
      const lane = isAhead ? lanes.at(-1) : lanes[0]
      const { promise, resolve } = Promise.withResolvers<void>()
      lane?.waiting.push({ isAhead, run: resolve })
      if (lane) next(lane)
      await promise
      return stamps.prove(witness)
    }
  return { prove: prove(false), proveAhead: prove(true) }
}

/** The shorter of the two times after which a process without work is ended. */
const IDLE_MS = 5000

function createChain() {
  const leafOf = (secret: bigint): bigint =>
    depositLeaf(nodeTicketCrypto, POOL, identityCommitment(nodeTicketCrypto, secret), LIMIT)
  const leaves = [1n, 2n, SECRET, 3n].map(leafOf)
  let root = createLeafTree(leaves).root
  return {
    publish(): void {
      leaves.push(leafOf(4n))
      root = createLeafTree(leaves).root
    },
    leaves: (from: number) =>
      Promise.resolve(
        leaves.slice(from).map((leaf, i) => ({ index: from + i, leaf, idc: 0n, limit: LIMIT })),
      ),
    newestRoot: () => Promise.resolve({ root: u256Bytes(root), publishedAtS: 0 }),
  }
}

const SECRET = 0xdeb05171n
/** 200 slots. */
const LIMIT = 200 * POOL.unitsPerSlot
const keyOf = (name: string): NodeKey => toHex(new TextEncoder().encode(name)) as NodeKey
const GUARD = keyOf('guard')
const useOf = (hop: NodeKey): SlotUse => (hop === GUARD ? 'link' : 'tokens')
const NODES: readonly Node[] = Array.from({ length: EXITS + RELAYS }, (_, i) => ({
  key: keyOf(`node ${i}`),
  country: i % COUNTRIES,
  isExit: i < EXITS,
}))
