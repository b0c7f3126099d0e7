/**
 * Tells slots that pay so much, so fast, that they will win soon: their provider locks them ahead (DESIGN §7.1), and serves them without limit then. A lock that lapses
 * without a win costs a part of the stake, so what little or slow use pays for waits for its win.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { Opening } from '@byway/protocol/wire'

/** The slots of a node that pay at the moment. */
export interface BulkSlots {
  /** A good ticket of a slot has paid so many units. */
  paid(opening: Opening, units: number): void
  /** A client shows its next slot where it showed this one: it goes on as it was. */
  follow(before: Opening, next: Opening): void
  /** The slot that will follow this one, of which one win is left: told at once where this one pays in bulk. */
  soon(before: Opening, next: Opening): void
}

export type BulkSlotsDeps = {
  /** Monotonic. */
  readonly nowMs: () => number
  /** Called once for a slot. Must not throw. */
  readonly onBulk: (opening: Opening) => void
}

// Local limits (tunable): docs/LIMITS.md.
/** What a slot must pay within the time below: two thirds of what an unlocked slot gets in it, and half a win at the smallest price. */
const BULK_UNITS = 512
const BULK_WINDOW_MS = 60_000
/** Slots that are counted; the one that was heard of first is forgotten beyond it. */
const MAX_COUNTED_SLOTS = 4096

type Count = { units: number; sinceMs: number; isBulk: boolean; isTold: boolean }

/** Creates a table without slots. */
export function createBulkSlots({ nowMs, onBulk }: BulkSlotsDeps): BulkSlots {
  const counts = new Map<string, Count>()

  function countOf({ nullifier }: Pick<Opening, 'nullifier'>): Count {
    const name = toHex(nullifier)
    const known = counts.get(name)
    if (known) return known
    const [oldest] = counts.keys()
    if (counts.size >= MAX_COUNTED_SLOTS && oldest !== undefined) counts.delete(oldest)
    const count = { units: 0, sinceMs: nowMs(), isBulk: false, isTold: false }
    counts.set(name, count)
    return count
  }

  function follow(before: Opening, next: Opening): void {
    if (counts.get(toHex(before.nullifier))?.isBulk) countOf(next).isBulk = true
  }

  return {
    paid(opening, units) {
      const count = countOf(opening)
      const atMs = nowMs()
      if (atMs - count.sinceMs >= BULK_WINDOW_MS) {
        count.units = 0
        count.sinceMs = atMs
      }
      count.units += units
      count.isBulk ||= count.units >= BULK_UNITS
      if (!count.isBulk || count.isTold) return
      count.isTold = true
      onBulk(opening)
    },
    follow,
    soon(before, next) {
      follow(before, next)
      const count = countOf(next)
      if (!count.isBulk || count.isTold) return
      count.isTold = true
      onBulk(next)
    },
  }
}
