/** A seeded month of browsing at a node: who wins what in which slot, and when (ADR 0023). */
import type { Candidate } from '../../packages/node/src/redemption/batching.ts'

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
const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000]
/** The mean of a client's delay before it asks for a slot back. */
const ASK_MS = 6 * HOUR_MS

export type Winner = Candidate['winners'][number]
/** What the chain says of a slot, and its wins that are still to be sent. */
export type Slot = {
  readonly nullifier: Uint8Array
  state: 'none' | 'locked' | 'bound' | 'closing'
  sinceS: number
  /** A batch with some of its wins is on its way. */
  isLeft: boolean
  /** When the client asks it back. */
  readonly askedMs: number
  readonly open: Winner[]
}
export type Win = { readonly atMs: number; readonly slot: Slot; readonly index: number }

/** The wins of a node's month, half of what it carries as a guard and half as an exit; the latest first. */
export function drawMonth(random: () => number, gibADay: number): Win[] {
  const each = { guard: GIB_A_DAY / GUARDS, exit: GIB_A_DAY / EXITS }
  const half = gibADay / 2
  return [
    ...drawWins(random, { gibADay: half, each: each.guard, keptDays: DAYS }),
    ...drawWins(random, { gibADay: half, each: each.exit, keptDays: KEPT_DAYS }),
  ].toSorted((a, b) => b.atMs - a.atMs)
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
  return {
    nullifier: new Uint8Array(32),
    state: 'none',
    sinceS: 0,
    askedMs,
    isLeft: false,
    open: [],
  }
}

/** As a node stores it. */
export function winnerOf({ atMs, slot: { nullifier }, index }: Win): Winner {
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
