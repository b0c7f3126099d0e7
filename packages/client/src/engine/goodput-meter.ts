/**
 * What a tunnel brings when it is busy: the best second of each ten. The best and not the mean, since most seconds of browsing wait for a person or a target, which says
 * nothing about the nodes. Pure.
 * @module
 */

/** Bytes that came within a time. */
export type Transfer = { readonly bytes: number; readonly durationMs: number }

/** Measures one leg. */
export interface GoodputMeter {
  /** Takes payload in; gives a measurement when a period with enough of it is over. @param nowMs - monotonic */
  take(bytes: number, nowMs: number): Transfer | undefined
  /** The leg is over: what the last period brought, if that is enough. */
  end(): Transfer | undefined
}

/** Creates a meter that has seen nothing. */
export function createGoodputMeter(): GoodputMeter {
  let periodStartMs = Number.NEGATIVE_INFINITY
  let windowStartMs = Number.NEGATIVE_INFINITY
  let windowBytes = 0
  let bestBytes = 0

  function closePeriod(): Transfer | undefined {
    bestBytes = Math.max(bestBytes, windowBytes)
    const best = { bytes: bestBytes, durationMs: WINDOW_MS }
    windowBytes = 0
    bestBytes = 0
    return best.bytes >= LEAST_BYTES ? best : undefined
  }

  return {
    take(bytes, nowMs) {
      let measured: Transfer | undefined
      if (nowMs - periodStartMs >= PERIOD_MS) {
        measured = closePeriod()
        periodStartMs = nowMs
        windowStartMs = nowMs
      } else if (nowMs - windowStartMs >= WINDOW_MS) {
        bestBytes = Math.max(bestBytes, windowBytes)
        windowBytes = 0
        windowStartMs = nowMs
      }
      windowBytes += bytes
      return measured
    },
    end: closePeriod,
  }
}

// Local limits (tunable): docs/LIMITS.md.
/** The best second of each ten counts: what an application left free says nothing of the path. */
const WINDOW_MS = 1000
const PERIOD_MS = 10_000
/** Less says more about who asked than about who carried. */
const LEAST_BYTES = 65_536
