/**
 * How fast bytes pass, for what is paid ahead: the rate of the last moments, not of a session. Pure.
 * @module
 */

/** A running rate. */
export interface RateMeter {
  /** Counts bytes; true when the rate was worked out anew. */
  count(bytes: number, nowMs: number): boolean
  /** Bytes per millisecond while they pass; 0 at first. */
  readonly perMs: number
  /** The same over the last window with its pause. */
  readonly presentPerMs: number
}

// Local limits (tunable): docs/LIMITS.md.
/** The rate is taken over so long: slow start may double it once meanwhile, which a client that pays two round trips ahead can bear. */
const WINDOW_MS = 100
/** After such a pause the old rate stands: it is the line's, and what comes next comes as fast. */
const PAUSE_MS = 1000

/** Creates a meter at 0. */
export function createRateMeter(): RateMeter {
  let startMs = Number.NEGATIVE_INFINITY
  let windowBytes = 0
  let perMs = 0
  let presentPerMs = 0
  return {
    get presentPerMs() {
      return presentPerMs
    },
    get perMs() {
      return perMs
    },
    count(bytes, nowMs) {
      windowBytes += bytes
      const passedMs = nowMs - startMs
      if (passedMs < WINDOW_MS) return false
      presentPerMs = windowBytes / passedMs
      if (passedMs < PAUSE_MS) perMs = presentPerMs
      startMs = nowMs
      windowBytes = 0
      return true
    },
  }
}
