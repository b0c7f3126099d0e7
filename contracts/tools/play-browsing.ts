/**
 * `node tools/run.mjs contracts/tools/play-browsing.ts`: a seeded month of browsing played at nodes of several sizes, through the rules by which nodes put wins into batches
 * (`packages/node/src/redemption/batching.ts`), with the gas of contracts/GAS.md for each batch as it came. Prints a table; ADR 0023 says what follows.
 */
import { seededRandom } from '../../packages/protocol/test/circuit/seeded.ts'
import {
  BATCH_MAX_ENTRIES,
  type BatchKind,
  type BatchPolicy,
  type Candidate,
  dueBatches,
} from '../../packages/node/src/redemption/batching.ts'
import { drawMonth, type Slot, type Winner, winnerOf } from './browsing-month.ts'
import { readFigures } from './gas-month.ts'

/** What a node carries a day: a small home, and up to 370 Mbit/s on average. */
export const LOADS_GIB: readonly number[] = [1, 10, 100, 1000, 4000]
export const BROWSING_SEED = 15

/** Providers of the rows of GAS.md in which several share a transaction. */
const MEASURED = 8
/** Homes that leave their wins with one redeemer, and what each carries a day. */
export const HOMES: readonly (readonly [count: number, gibADay: number])[] = [
  [50, 1],
  [50, 10],
  [200, 10],
  [50, 100],
  [400, 10],
]
const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000]
/** The delays of the start values, and how long wins wait (`packages/cli/src/engine/node-redemption.ts`). */
const DELAYS = { lockS: 3600, refundDelayS: 12 * 3600, closeDelayS: 72 * 3600 }
export const POLICY: BatchPolicy = {
  bindWaitMs: 15 * MINUTE_MS,
  claimWaitMs: 8 * HOUR_MS,
  companyMs: 15 * MINUTE_MS,
  delays: DELAYS,
}

/** What a node's month came to. */
export type Played = {
  readonly wins: number
  /** Of a win, lock and proof included. */
  readonly gas: number
  /** Entries of a transaction on average. */
  readonly entries: Readonly<Record<BatchKind, number>>
}

/** Gas of a batch with so many entries, as a line between the sizes that were measured. */
export function batchGas(
  rows: ReadonlyMap<string, number>,
): (kind: BatchKind, entries: number) => number {
  const through =
    (name: (size: number) => string, sizes: readonly number[]) =>
    (entries: number): number => {
      const gasAt = (size: number): number => {
        const gas = rows.get(name(size))
        if (gas === undefined) throw new Error(`GAS.md has no row ${name(size)}`)
        return gas
      }
      const above = sizes.find((size) => size >= entries) ?? 16
      const below = sizes.findLast((size) => size <= entries) ?? 1
      if (above === below) return gasAt(above)
      const part = (entries - below) / (above - below)
      return gasAt(below) + part * (gasAt(above) - gasAt(below))
    }
  const bare = through((size) => `bind ${size}, without the proof`, [1, 2, 4, 8, 16])
  const judged = through((size) => `judge ${size}, slot proof`, [1, 2, 4, 8, 16])
  const gas: Readonly<Record<BatchKind, (entries: number) => number>> = {
    lock: through((size) => `lock ${size}`, [1, 16]),
    bind: (entries) => bare(entries) + judged(entries),
    claim: through((size) => `claimMore ${size}`, [1, 16]),
  }
  return (kind, entries) => gas[kind](entries)
}

/** Gas of orders of several providers in one transaction: what each provider after the first adds was measured with eight. */
export function sharedGas(
  rows: ReadonlyMap<string, number>,
): (kind: BatchKind, entries: number, providers: number) => number {
  const gasOf = batchGas(rows)
  const row = (name: string): number => {
    const gas = rows.get(name)
    if (gas === undefined) throw new Error(`GAS.md has no row ${name}`)
    return gas
  }
  const one = (kind: BatchKind): number =>
    kind === 'bind' ? row('bind 8, without the proof') : gasOf(kind, MEASURED)
  const many = {
    lock: row('lock 8, of 8 providers'),
    bind: row('bind 8, of 8 providers, without the proof'),
    claim: row('claimMore 8, of 8 providers'),
  }
  return (kind, entries, providers) => {
    // The first signs terms too, so each of the eight adds an eighth.
    const added = (many[kind] - one(kind)) / MEASURED
    return gasOf(kind, entries) + added * providers
  }
}

/** Plays a month of a node that carries so much for browsing clients, half of it as their guard and half as their exit. */
export function playBrowsing(
  gibADay: number,
  seed: number,
  gasOf: (kind: BatchKind, entries: number) => number,
): Played {
  const alone = (kind: BatchKind, orders: readonly Order[]): number =>
    gasOf(kind, entriesOf(orders))
  return playMonth([gibADay], seed, { gasOf: alone, waitOf: () => 0, placesOf: () => [ONE_PLACE] })
}

/** The same of nodes that leave their wins with one redeemer, which waits for company as long as they do. */
export function playShared(
  loads: readonly number[],
  seed: number,
  gasOf: (kind: BatchKind, entries: number, providers: number) => number,
): Played {
  const shared = (kind: BatchKind, orders: readonly Order[]): number =>
    gasOf(kind, entriesOf(orders), new Set(orders.map(({ node }) => node)).size)
  const waitOf = (): number => POLICY.companyMs
  return playMonth(loads, seed, { gasOf: shared, waitOf, placesOf: () => [ONE_PLACE] })
}

/** Where orders of nodes meet that know one redeemer, or are one node. */
const ONE_PLACE = 'one'

/** A batch that a node has made, and when. */
export type Order = {
  readonly node: number
  readonly kind: BatchKind
  readonly slots: readonly Slot[]
  readonly atMs: number
  /** How long it waits for those of others. */
  readonly waitMs: number
  /** It goes out together with others of one of these. */
  readonly places: readonly string[]
}

/** A batch as its node makes it. */
export type MadeBatch = Omit<Order, 'places' | 'waitMs'>

/** How batches become transactions. */
export type Way = {
  readonly gasOf: (kind: BatchKind, orders: readonly Order[]) => number
  /** The longest wait for company. */
  readonly waitOf: (batch: MadeBatch) => number
  /** Where a batch is left. */
  readonly placesOf: (batch: MadeBatch, random: () => number) => readonly string[]
  /** False for orders that do not pay for their gas together: they wait on. */
  readonly isSent?: (kind: BatchKind, orders: readonly Order[]) => boolean
  /** What nobody has sent by then its node sends alone. */
  readonly patienceMs?: number
}

/** Plays a month of several nodes. */
export function playMonth(loads: readonly number[], seed: number, way: Way): Played {
  const random = seededRandom(seed)
  const nodes = loads.map((load) => ({ wins: drawMonth(random, load), waiting: new Set<Slot>() }))
  const parts = new Map<Winner, number>()
  const partOf = (winner: Winner): number => {
    const part = parts.get(winner) ?? 0.25 + 0.75 * random()
    parts.set(winner, part)
    return part
  }
  const sums = { lock: noBatches(), bind: noBatches(), claim: noBatches() }
  const total = nodes.reduce((sum, { wins }) => sum + wins.length, 0)
  let held: readonly Order[] = []
  let gas = 0
  const isOver = (): boolean =>
    held.length === 0 && nodes.every(({ wins, waiting }) => wins.length + waiting.size === 0)
  for (let nowMs = 0; !isOver(); nowMs += MINUTE_MS) {
    for (const [node, { wins, waiting }] of nodes.entries()) {
      for (let win = wins.at(-1); win && win.atMs <= nowMs; win = wins.at(-1)) {
        wins.pop()
        win.slot.open.push(winnerOf(win))
        waiting.add(win.slot)
      }
      if (waiting.size === 0) continue
      const made = lookAt(waiting, nowMs, partOf).map(({ kind, slots }): Order => {
        const batch = { node, kind, slots, atMs: nowMs }
        const waitMs = kind === 'lock' ? 0 : (way.waitOf(batch) * (1 + random())) / 2
        return { ...batch, waitMs, places: way.placesOf(batch, random) }
      })
      held = [...held, ...made]
    }
    for (const orders of sentNow(held, nowMs, way)) {
      const [{ kind }] = orders
      gas += way.gasOf(kind, orders)
      sums[kind].entries += entriesOf(orders)
      sums[kind].batches += 1
      for (const { slots } of orders) for (const slot of slots) carryOut(slot, kind, nowMs)
      held = held.filter((order) => !orders.includes(order))
    }
    for (const { waiting } of nodes)
      for (const slot of waiting) if (slot.open.length === 0 && !slot.isLeft) waiting.delete(slot)
  }
  const mean = ({ entries, batches }: Batches): number => entries / batches
  const entries = { lock: mean(sums.lock), bind: mean(sums.bind), claim: mean(sums.claim) }
  return { wins: total, gas: gas / total, entries }
}

type Orders = readonly [Order, ...Order[]]

/** The transactions of a minute, kind by kind and place by place; an order that is at two places goes out at the first that sends it. */
function sentNow(all: readonly Order[], nowMs: number, way: Way): readonly Orders[] {
  const sent: Orders[] = []
  const gone = new Set<Order>()
  const send = (orders: readonly Order[]): void => {
    const [first, ...others] = orders
    if (first) sent.push([first, ...others])
    for (const order of orders) gone.add(order)
  }
  const { patienceMs = Number.POSITIVE_INFINITY, isSent = () => true } = way
  for (const kind of ['lock', 'bind', 'claim'] as const) {
    const some = all.filter((order) => order.kind === kind)
    for (const order of some) if (nowMs - order.atMs >= patienceMs) send([order])
    for (const place of new Set(some.flatMap(({ places }) => places))) {
      const here = some.filter((order) => !gone.has(order) && order.places.includes(place))
      for (const orders of together(here, nowMs)) if (isSent(kind, orders)) send(orders)
    }
  }
  return sent
}

/** Orders of one kind that go out now: whole transactions, and the last as soon as one of its orders has waited (`packages/node/src/redemption/shared-orders.ts`). */
function together(held: readonly Order[], nowMs: number): readonly Order[][] {
  const groups: { orders: Order[]; isFull: boolean }[] = []
  for (const order of held) {
    const last = groups.at(-1)
    const fits = last && !last.isFull && entriesOf([...last.orders, order]) <= BATCH_MAX_ENTRIES
    if (last && !fits) last.isFull = true
    const group = fits ? last : { orders: [], isFull: false }
    if (!fits) groups.push(group)
    group.orders.push(order)
    group.isFull = entriesOf(group.orders) === BATCH_MAX_ENTRIES
  }
  const isDue = ({ atMs, waitMs }: Order): boolean => nowMs - atMs >= waitMs
  return groups
    .filter(({ orders, isFull }) => isFull || orders.some(isDue))
    .map(({ orders }) => orders)
}

/** Entries of orders together. */
export function entriesOf(orders: readonly Order[]): number {
  return orders.reduce((sum, { slots }) => sum + slots.length, 0)
}

/** One look of a node: the batches that are due. Their slots are left alone until they are carried out. */
function lookAt(
  waiting: ReadonlySet<Slot>,
  nowMs: number,
  partOf: (winner: Winner) => number,
): readonly { readonly kind: BatchKind; readonly slots: readonly Slot[] }[] {
  const chainNowS = nowMs / 1000
  const slotOf = new Map<Winner, Slot>()
  const candidates = [...waiting].map((slot): Candidate => {
    if (slot.state === 'bound' && nowMs >= slot.askedMs) enter(slot, 'closing', chainNowS)
    for (const winner of slot.open) slotOf.set(winner, slot)
    const { nullifier, state, sinceS: timeS, open } = slot
    const word = { state, timeS, holder: nullifier, lastIndex: 0, wins: 0, isBurned: false }
    const known = { nullifier, winners: open, word, holder: 'ours', isLockTried: false } as const
    return { slot: known, winners: slot.isLeft ? [] : open }
  })
  return dueBatches(candidates, POLICY, { nowMs, chainNowS, partOf }).map(({ kind, winners }) => {
    const slots = winners.map((winner) => {
      const slot = slotOf.get(winner)
      if (!slot) throw new Error('a winner of no slot')
      slot.isLeft = true
      if (kind !== 'lock') slot.open.splice(slot.open.indexOf(winner), 1)
      return slot
    })
    return { kind, slots }
  })
}

function carryOut(slot: Slot, kind: BatchKind, nowMs: number): void {
  slot.isLeft = false
  if (kind === 'lock') enter(slot, 'locked', nowMs / 1000)
  if (kind === 'bind') enter(slot, 'bound', nowMs / 1000)
}

function enter(slot: Slot, state: Slot['state'], sinceS: number): void {
  slot.state = state
  slot.sinceS = sinceS
}

type Batches = { entries: number; batches: number }

const noBatches = (): Batches => ({ entries: 0, batches: 0 })

function print(): void {
  const rows = readFigures()
  console.log(`seed ${BROWSING_SEED}; a win takes, lock and proof included:`)
  const show = (name: string, { wins, gas, entries: { lock, bind, claim } }: Played): void => {
    const shared = `${lock.toFixed(1)} locks, ${bind.toFixed(1)} binds, ${claim.toFixed(1)} later wins a transaction`
    console.log(`${name.padStart(26)}: ${(gas / 1000).toFixed(1)}k, ${wins} wins; ${shared}`)
  }
  for (const load of LOADS_GIB)
    show(`${load} GiB a day`, playBrowsing(load, BROWSING_SEED, batchGas(rows)))
  for (const [count, load] of HOMES) {
    const loads = Array.from({ length: count }, () => load)
    show(`${count} homes of ${load} GiB`, playShared(loads, BROWSING_SEED, sharedGas(rows)))
  }
}

if (import.meta.main) print()
