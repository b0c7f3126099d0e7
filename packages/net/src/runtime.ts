/**
 * Clock, timers and chance, as the drivers of this package use them. Tests and the simulator put their own behind it.
 * @module
 */

/** A timer that runs once. */
export interface LinkTimer {
  cancel(): void
}

/** What a link takes from the world besides its socket. */
export interface LinkRuntime {
  /** Monotonic milliseconds, with fractions. */
  nowMs(): number
  /** Wall clock in whole seconds since 1970, for the dates of certificates. */
  unixS(): number
  /** Uniform in [0, 1). Spreads padding and penalties; no secret depends on it. */
  random(): number
  /** Runs once all that has arrived in this turn of the event loop was read. */
  afterReads(run: () => void): void
  /** Runs once after `delayMs`; does not keep the process alive. */
  setTimer(run: () => void, delayMs: number): LinkTimer
}

/** The real world. */
export const systemRuntime: LinkRuntime = {
  nowMs: () => performance.now(),
  unixS: () => Math.floor(Date.now() / 1000),
  random: () => Math.random(),
  afterReads: (run) => void setImmediate(run),
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, Math.ceil(delayMs))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
