/**
 * `node tools/run.mjs contracts/tools/play-browsing.ts`: a seeded month of browsing played at nodes of several sizes, through the rules by which nodes put wins into batches
 * (`packages/node/src/redemption/batching.ts`), with the gas of contracts/GAS.md for each batch as it came. Prints a table; ADR 0023 says what follows.
 */
import { seededRandom } from '../../packages/protocol/test/circuit/seeded.ts'
import {
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
  bindWaitMs: 22.5 * MINUTE_MS,
  claimWaitMs: 8 * HOUR_MS,
  delays: DELAYS,
}
/** The mean of a client's delay before it asks for a slot back. */
const ASK_MS = 6 * HOUR_MS

type Winner = Candidate['winners'][number]
type Slot = {
  readonly nullifier: Uint8Array
  state: 'none' | 'locked' | 'bound' | 'closing'
  sinceS: number
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

/** Plays a month of a node that carries so much for browsing clients, half of it as their guard and half as their exit. */
export function playBrowsing(
  gibADay: number,
  seed: number,
  gasOf: (kind: BatchKind, entries: number) => number,
): Played {
  const random = seededRandom(seed)
  const wins = [
    ...drawWins(random, { gibADay: gibADay / 2, each: GIB_A_DAY / GUARDS, keptDays: DAYS }),
    ...drawWins(random, { gibADay: gibADay / 2, each: GIB_A_DAY / EXITS, keptDays: KEPT_DAYS }),
  ].toSorted((a, b) => a.atMs - b.atMs)
  const parts = new Map<Winner, number>()
  const partOf = (winner: Winner): number => {
    const part = parts.get(winner) ?? 0.25 + 0.75 * random()
    parts.set(winner, part)
    return part
  }
  const sums = { lock: noBatches(), bind: noBatches(), claim: noBatches() }
  const waiting = new Set<Slot>()
  let gas = 0
  let next = 0
  for (let nowMs = 0; next < wins.length || waiting.size > 0; nowMs += MINUTE_MS) {
    if (waiting.size === 0) nowMs = Math.max(nowMs, wins[next]?.atMs ?? nowMs)
    for (let win = wins[next]; win && win.atMs <= nowMs; win = wins[++next]) {
      win.slot.open.push(winnerOf(win))
      waiting.add(win.slot)
    }
    for (const { kind, winners } of lookAt(waiting, nowMs, partOf)) {
      gas += gasOf(kind, winners)
      sums[kind].entries += winners
      sums[kind].batches += 1
    }
  }
  const mean = ({ entries, batches }: Batches): number => entries / batches
  const entries = { lock: mean(sums.lock), bind: mean(sums.bind), claim: mean(sums.claim) }
  return { wins: wins.length, gas: gas / wins.length, entries }
}

type Batches = { entries: number; batches: number }

const noBatches = (): Batches => ({ entries: 0, batches: 0 })

/** One look of a node: the batches that are due, carried out at once. */
function lookAt(
  waiting: Set<Slot>,
  nowMs: number,
  partOf: (winner: Winner) => number,
): readonly { readonly kind: BatchKind; readonly winners: number }[] {
  const chainNowS = nowMs / 1000
  const slotOf = new Map<Winner, Slot>()
  const candidates = [...waiting].map((slot): Candidate => {
    if (slot.state === 'bound' && nowMs >= slot.askedMs) enter(slot, 'closing', chainNowS)
    for (const winner of slot.open) slotOf.set(winner, slot)
    const { nullifier, state, sinceS: timeS, open } = slot
    const word = { state, timeS, holder: nullifier, lastIndex: 0, wins: 0, isBurned: false }
    const known = { nullifier, winners: open, word, holder: 'ours', isLockTried: false } as const
    return { slot: known, winners: open }
  })
  return dueBatches(candidates, POLICY, { nowMs, chainNowS, partOf }).map(({ kind, winners }) => {
    for (const winner of winners) {
      const slot = slotOf.get(winner)
      if (!slot) throw new Error('a winner of no slot')
      if (kind === 'lock') enter(slot, 'locked', chainNowS)
      else slot.open.splice(slot.open.indexOf(winner), 1)
      if (kind === 'bind') enter(slot, 'bound', chainNowS)
      if (slot.open.length === 0) waiting.delete(slot)
    }
    return { kind, winners: winners.length }
  })
}

function enter(slot: Slot, state: Slot['state'], sinceS: number): void {
  slot.state = state
  slot.sinceS = sinceS
}

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
  return { nullifier: new Uint8Array(32), state: 'none', sinceS: 0, askedMs, open: [] }
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
  const gasOf = batchGas(readFigures())
  console.log(`seed ${BROWSING_SEED}; a win takes, lock and proof included:`)
  for (const load of LOADS_GIB) {
    const { wins, gas, entries } = playBrowsing(load, BROWSING_SEED, gasOf)
    const { lock, bind, claim } = entries
    const shared = `${lock.toFixed(1)} locks, ${bind.toFixed(1)} binds, ${claim.toFixed(1)} later wins a transaction`
    console.log(
      `${String(load).padStart(5)} GiB a day: ${(gas / 1000).toFixed(1)}k, ${wins} wins; ${shared}`,
    )
  }
}

if (import.meta.main) print()
