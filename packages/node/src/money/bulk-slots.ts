/**
 * Tells slots that pay so much, so fast, that they will win soon: their provider locks them ahead (DESIGN §7.1), and serves them without limit then. A lock that lapses
 * without a win costs a part of the stake, so what little or slow use pays for waits for its win.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { TicketUse } from '@byway/protocol/ledger'
import type { Opening } from '@byway/protocol/wire'

/** The slots of a node that pay at the moment. */
export interface BulkSlots {
  /** A good ticket of a slot has paid so many units: on a link as they are used, elsewhere for tokens. */
  paid(opening: Opening, units: number, use: TicketUse): void
  /** Tokens were asked for that are paid and not due: somebody waits for them (SPEC §16.3). */
  wanted(opening: Opening): void
  /** A client shows its next slot where it showed this one: it goes on as it was. */
  follow(before: Opening, next: Opening): void
  /** The slot that will follow this one, of which one win is left: told at once where this one pays in bulk. */
  soon(before: Opening, next: Opening): void
}

export type BulkSlotsDeps = {
  /** What a slot must pay that is used as it pays: {@link unitsOfBulk}. */
  readonly leastUnits: number
  /** Monotonic. */
  readonly nowMs: () => number
  /** Called once for a slot. Must not throw. */
  readonly onBulk: (opening: Opening) => void
}

// Local limits (tunable): docs/LIMITS.md.
/** What buyers of tokens pay who do not wait for them: a stock is 256 units, and says nothing of its use. */
const MOST_UNITS = 512
/** A part of a win: with the start values a lapsed lock costs a tenth and its gas. */
const PART_OF_WIN = 4n
/** Two thirds of what a slot that nobody holds is served. */
const UNITS_PER_S = 8
/** Who waits asks every two seconds. Who has just begun waits once, for his first tokens. */
const WAITING_MS = 3500
/** Waiting that is so long ago is none. */
const WAITED_MS = 15_000
/** Slots that are counted; the one that was heard of first is forgotten beyond it. */
const MAX_COUNTED_SLOTS = 4096

/** Units whose tickets win a quarter of a win on average, more than twice what a lapsed lock costs. @param price - of a unit; 0 where nothing is paid */
export function unitsOfBulk(winValue: bigint, price: bigint): number {
  return price > 0n ? Math.min(MOST_UNITS, Number(winValue / PART_OF_WIN / price)) : MOST_UNITS
}

type Count = {
  units: number
  sinceMs: number
  /** What makes it one of bulk. */
  goalUnits: number
  waitsSinceMs: number
  waitedAtMs: number
  isBulk: boolean
  isTold: boolean
}

/** Creates a table without slots. */
export function createBulkSlots({ leastUnits, nowMs, onBulk }: BulkSlotsDeps): BulkSlots {
  const counts = new Map<string, Count>()

  function countOf({ nullifier }: Pick<Opening, 'nullifier'>): Count {
    const name = toHex(nullifier)
    const known = counts.get(name)
    if (known) return known
    const [oldest] = counts.keys()
    if (counts.size >= MAX_COUNTED_SLOTS && oldest !== undefined) counts.delete(oldest)
    const count = newCount(nowMs())
    counts.set(name, count)
    return count
  }

  function follow(before: Opening, next: Opening): void {
    if (counts.get(toHex(before.nullifier))?.isBulk) countOf(next).isBulk = true
  }

  function judge(opening: Opening, count: Count): void {
    count.isBulk ||= count.units >= count.goalUnits
    if (!count.isBulk || count.isTold) return
    count.isTold = true
    onBulk(opening)
  }

  return {
    paid(opening, units, use) {
      const count = countOf(opening)
      if (use === 'link') count.goalUnits = leastUnits
      const atMs = nowMs()
      if ((atMs - count.sinceMs) * UNITS_PER_S >= count.goalUnits * 1000) {
        count.units = 0
        count.sinceMs = atMs
      }
      count.units += units
      judge(opening, count)
    },
    wanted(opening) {
      const count = counts.get(toHex(opening.nullifier))
      if (!count) return
      const atMs = nowMs()
      if (atMs - count.waitedAtMs > WAITED_MS) count.waitsSinceMs = atMs
      count.waitedAtMs = atMs
      if (atMs - count.waitsSinceMs < WAITING_MS) return
      count.goalUnits = leastUnits
      judge(opening, count)
    },
    follow,
    soon(before, next) {
      follow(before, next)
      judge(next, countOf(next))
    },
  }
}

function newCount(nowMs: number): Count {
  const never = Number.NEGATIVE_INFINITY
  return {
    units: 0,
    sinceMs: nowMs,
    goalUnits: MOST_UNITS,
    waitsSinceMs: never,
    waitedAtMs: never,
    isBulk: false,
    isTold: false,
  }
}
