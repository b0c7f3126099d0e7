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
import { readFigures } from './gas-month.ts'

/** What a node carries a day: a small home, and up to 370 Mbit/s on average. */
export const LOADS_GIB: readonly number[] = [1, 10, 100, 1000, 4000]
export const BROWSING_SEED = 15

/** DESIGN §7.2: half a GiB a day, over two guards that are kept and three exits kept three days. A win is worth a GiB at each hop. */
const GIB_A_DAY = 0.5
const [GUARDS, EXITS, KEPT_DAYS] = [2, 3, 3]
const DAYS = 30
const WINS_PER_SLOT = 2
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
/** Of the day's traffic, by hour. */
const HOURS = [2, 1, 1, 0, 0, 0, 1, 3, 4, 4, 4, 4, 5, 4, 4, 4, 5, 6, 8, 10, 11, 10, 6, 3] as const
/** How unlike days are: a day has `e^(s·N − s²/2)` of the mean. */
const DAY_SPREAD = 1
/** A client's visits to a hop on a day; what wins does so in one of them. */
const VISITS = 6
const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000]
/** The delays of the start values, and how long wins wait (`packages/cli/src/engine/node-redemption.ts`). */
const DELAYS = { lockS: 3600, refundDelayS: 12 * 3600, closeDelayS: 72 * 3600 }
const POLICY: BatchPolicy = {
  bindWaitMs: 15 * MINUTE_MS,
  claimWaitMs: 8 * HOUR_MS,
  companyMs: 15 * MINUTE_MS,
  delays: DELAYS,
}
/** The mean of a client's delay before it asks for a slot back. */
const ASK_MS = 6 * HOUR_MS

type Winner = Candidate['winners'][number]
type Slot = {
  readonly nullifier: Uint8Array
  state: 'none' | 'locked' | 'bound' | 'closing'
  sinceS: number
  /** A batch with some of its wins is on its way. */
  isLeft: boolean
  /** When the client asks it back. */
  readonly askedMs: number
  readonly open: Winner[]
}
type Win = { readonly atMs: number; readonly slot: Slot; readonly index: number }

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
  return playMonth([gibADay], seed, (kind, orders) => gasOf(kind, entriesOf(orders)), 0)
}

/** The same of nodes that leave their wins with one redeemer, which waits for company as long as they do. */
export function playShared(
  loads: readonly number[],
  seed: number,
  gasOf: (kind: BatchKind, entries: number, providers: number) => number,
): Played {
  const shared = (kind: BatchKind, orders: readonly Order[]): number =>
    gasOf(kind, entriesOf(orders), new Set(orders.map(({ node }) => node)).size)
  return playMonth(loads, seed, shared, POLICY.companyMs)
}

/** A batch that a node has made, and when. */
type Order = {
  readonly node: number
  readonly kind: BatchKind
  readonly slots: readonly Slot[]
  readonly atMs: number
  /** How long it waits for those of others. */
  readonly waitMs: number
}

function playMonth(
  loads: readonly number[],
  seed: number,
  gasOf: (kind: BatchKind, orders: readonly Order[]) => number,
  companyMs: number,
): Played {
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
  let held: Order[] = []
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
      for (const { kind, slots } of lookAt(waiting, nowMs, partOf)) {
        const waitMs = kind === 'lock' ? 0 : (companyMs * (1 + random())) / 2
        held.push({ node, kind, slots, atMs: nowMs, waitMs })
      }
    }
    for (const kind of ['lock', 'bind', 'claim'] as const) {
      for (const orders of together(held, kind, nowMs)) {
        gas += gasOf(kind, orders)
        sums[kind].entries += entriesOf(orders)
        sums[kind].batches += 1
        for (const { slots } of orders) for (const slot of slots) carryOut(slot, kind, nowMs)
        held = held.filter((order) => !orders.includes(order))
      }
    }
    for (const { waiting } of nodes)
      for (const slot of waiting) if (slot.open.length === 0 && !slot.isLeft) waiting.delete(slot)
  }
  const mean = ({ entries, batches }: Batches): number => entries / batches
  const entries = { lock: mean(sums.lock), bind: mean(sums.bind), claim: mean(sums.claim) }
  return { wins: total, gas: gas / total, entries }
}

/** The latest first. */
function drawMonth(random: () => number, gibADay: number): Win[] {
  const each = { guard: GIB_A_DAY / GUARDS, exit: GIB_A_DAY / EXITS }
  const half = gibADay / 2
  return [
    ...drawWins(random, { gibADay: half, each: each.guard, keptDays: DAYS }),
    ...drawWins(random, { gibADay: half, each: each.exit, keptDays: KEPT_DAYS }),
  ].toSorted((a, b) => b.atMs - a.atMs)
}

/** Orders of one kind that go out now: whole transactions, and the last as soon as one of its orders has waited (`packages/node/src/redemption/shared-orders.ts`). */
function together(held: readonly Order[], kind: BatchKind, nowMs: number): readonly Order[][] {
  const groups: { orders: Order[]; isFull: boolean }[] = []
  for (const order of held.filter((one) => one.kind === kind)) {
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

function entriesOf(orders: readonly Order[]): number {
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

type Relations = {
  readonly gibADay: number
  /** What one client sends through here a day while it does. */
  readonly each: number
  readonly keptDays: number
}

/** The wins of a month, client by client. */
function drawWins(random: () => number, { gibADay, each, keptDays }: Relations): readonly Win[] {
  const clients = Math.max(1, Math.round(gibADay / each))
  const share = gibADay / clients
  const wins: Win[] = []
  for (let client = 0; client < clients; client++) {
    // Not all begin on one day.
    const phase = Math.floor(random() * keptDays)
    let slot: Slot | undefined
    let won = 0
    for (let day = 0; day < DAYS; day++) {
      if ((day + phase) % keptDays === 0) slot = undefined
      const endMs = (day + keptDays - ((day + phase) % keptDays)) * DAY_MS
      const visits = Array.from({ length: VISITS }, () => day * DAY_MS + momentOf(random))
      const spread = Math.exp(DAY_SPREAD * normal(random) - DAY_SPREAD ** 2 / 2)
      const times = Array.from({ length: poisson(random, share * spread) }, () => {
        return visits[Math.floor(random() * VISITS)] ?? 0
      })
      for (const atMs of times.toSorted((a, b) => a - b)) {
        if (!slot) won = 0
        slot ??= openSlot(endMs - ASK_MS * Math.log(1 - random()))
        wins.push({ atMs, slot, index: ++won })
        if (won === WINS_PER_SLOT) slot = undefined
      }
    }
  }
  return wins
}

function openSlot(askedMs: number): Slot {
  return {
    nullifier: new Uint8Array(32),
    state: 'none',
    sinceS: 0,
    askedMs,
    isLeft: false,
    open: [],
  }
}

function winnerOf({ atMs, slot: { nullifier }, index }: Win): Winner {
  const bytes = new Uint8Array(0)
  const ticket = { opening: bytes, provider: bytes, amount: 0n, nonce: bytes, reveal: bytes }
  const place = { nullifier, index, receivedAtMs: atMs, changedAtMs: atMs }
  const rest = { signature: bytes, reason: undefined, carrier: undefined }
  return { ...ticket, ...place, ...rest, state: 'received' }
}

/** Milliseconds after midnight. */
function momentOf(random: () => number): number {
  let left = random() * HOURS.reduce<number>((sum, each) => sum + each, 0)
  const hour = HOURS.findIndex((share) => (left -= share) < 0)
  return (hour + random()) * HOUR_MS
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function poisson(random: () => number, mean: number): number {
  let count = 0
  for (let chance = random(); chance > Math.exp(-mean); chance *= random()) count++
  return count
}

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
