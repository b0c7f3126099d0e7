/**
 * Tells a link that pays so much, so fast, that its slots are soon full (SPEC §15.2): its hop is told the next one before. As hops tell bulk, who lock ahead for it. Pure.
 * @module
 */

/** Units of one link. */
export interface BulkWatch {
  /** Counts units that were paid; true from when they are bulk on. */
  paid(units: number, nowMs: number): boolean
}

// Local limits (tunable): docs/LIMITS.md.
/** What must be paid within the time below: two thirds of what a slot that nobody holds is served. */
const BULK_UNITS = 512
const BULK_WINDOW_MS = 60_000

/** Creates a watch that has seen nothing. */
export function createBulkWatch(): BulkWatch {
  let sinceMs = Number.NEGATIVE_INFINITY
  let paidUnits = 0
  let isBulk = false
  return {
    paid(units, nowMs) {
      if (nowMs - sinceMs >= BULK_WINDOW_MS) {
        sinceMs = nowMs
        paidUnits = 0
      }
      paidUnits += units
      isBulk ||= paidUnits >= BULK_UNITS
      return isBulk
    },
  }
}
