/**
 * One timer for all tolls of a node at which something waits: free bytes come back, and who does not pay is given up in time (SPEC §15.3). Idle while nothing waits.
 * @module
 */
import type { LinkRuntime, LinkTimer } from '@byway/net'
import type { Toll } from './toll.ts'

/** The timer of a node's tolls. */
export interface TollWatch {
  /** How many tolls wait. */
  readonly size: number
  nowMs(): number
  add(toll: Pick<Toll, 'onTick'>): void
  remove(toll: Pick<Toll, 'onTick'>): void
  stop(): void
}

// Local limit (tunable): docs/LIMITS.md. How late the deadline of a standstill may be noticed.
const TICK_MS = 500

/** Creates an idle watch. */
export function createTollWatch(runtime: Pick<LinkRuntime, 'nowMs' | 'setTimer'>): TollWatch {
  const waiting = new Set<Pick<Toll, 'onTick'>>()
  let timer: LinkTimer | undefined

  function arm(): void {
    if (timer || waiting.size === 0) return
    timer = runtime.setTimer(() => {
      timer = undefined
      const nowMs = runtime.nowMs()
      for (const toll of waiting) toll.onTick(nowMs)
      arm()
    }, TICK_MS)
  }

  return {
    get size() {
      return waiting.size
    },
    nowMs: () => runtime.nowMs(),
    add(toll) {
      waiting.add(toll)
      arm()
    },
    remove(toll) {
      waiting.delete(toll)
    },
    stop() {
      waiting.clear()
      timer?.cancel()
      timer = undefined
    },
  }
}
