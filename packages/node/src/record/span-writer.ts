/** Writes what changes in the exit record, in order and some hundred at once: a whole directory comes in within seconds. @module */

export interface SpanWriter {
  /** Writes later. What comes while too much waits is lost: the record has a gap, and its owner is told. */
  add(write: () => Promise<void>): void
  /** Resolves when all of it is written, or was given up. Never rejects. */
  idle(): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Less than the store takes at once, so that a page still fits. */
const WRITES_AT_ONCE = 500
/** A directory of twenty thousand with two addresses each. */
const MAX_WAITING = 40_000

/** @param onFault - told of each time when something was not written */
export function createSpanWriter(onFault: () => void): SpanWriter {
  let waiting: (() => Promise<void>)[] = []
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const some = waiting.slice(0, WRITES_AT_ONCE)
      waiting = waiting.slice(WRITES_AT_ONCE)
      const results = await Promise.allSettled(some.map((write) => write()))
      if (results.some(({ status }) => status === 'rejected')) onFault()
    }
    running = undefined
  }

  return {
    add(write) {
      if (waiting.length >= MAX_WAITING) return onFault()
      waiting.push(write)
      running ??= run()
    },
    async idle() {
      await running
    },
  }
}
