/** How late this program's event loop is while others work. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** A look at the loop, from its making on. */
export interface LoopWatch {
  /** Ends it. Milliseconds later than it should have come: of 99 % of the turns at most, and of all. */
  stop(): { readonly p99Ms: number; readonly longestMs: number }
}

/** Of the looks, milliseconds. */
const RESOLUTION_MS = 1

/** Begins one. */
export function watchLoop(): LoopWatch {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  // What the histogram has are the intervals: what is above the timer's own is the delay.
  const lateMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS)
  return {
    stop() {
      delay.disable()
      return { p99Ms: lateMs(delay.percentile(99)), longestMs: lateMs(delay.max) }
    },
  }
}
