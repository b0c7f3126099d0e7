/**
 * The proxy's clock: one delayed call at a time. A port, so that tests move time by hand.
 * @module
 */

/** Runs things later. */
export interface Timers {
  /** Calls `run` after `delayMs`; the returned function calls it off. Keeps no process alive. */
  after(delayMs: number, run: () => void): () => void
}

/** The system's timers. */
export const systemTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref()
    return () => clearTimeout(timer)
  },
}
