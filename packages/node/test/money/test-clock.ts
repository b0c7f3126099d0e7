/** A clock and timers that move only when a test says so. */
import type { LinkRuntime } from '@byway/net'

export type TestClock = Pick<LinkRuntime, 'nowMs' | 'setTimer'> & {
  /** Moves on and runs what has become due, in order. */
  pass(ms: number): void
}

export function createTestClock(): TestClock {
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  let nowMs = 1000
  return {
    nowMs: () => nowMs,
    setTimer(run, delayMs) {
      const timer = { atMs: nowMs + delayMs, run }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
    pass(ms) {
      const end = nowMs + ms
      for (;;) {
        const [next] = [...timers].toSorted((a, b) => a.atMs - b.atMs)
        if (!next || next.atMs > end) break
        timers.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.run()
      }
      nowMs = end
    },
  }
}
