/**
 * One timer for all meters of a node that hold: free bytes come back, and who does not pay is given up in time (SPEC §15.3). Idle while nothing waits. A second one, faster, is
 * for what waits for its turn (SPEC §15.2).
 * @module
 */
import type { LinkRuntime, LinkTimer } from '@byway/net'

/** Whoever waits for the time to pass. */
type Ticking = { onTick(nowMs: number): void }

/** The timer of a node's meters. */
export interface MeterWatch {
  /** How many hold. */
  readonly size: number
  nowMs(): number
  add(meter: Ticking): void
  remove(meter: Ticking): void
  stop(): void
}

// Local limits (tunable): docs/LIMITS.md.
/** How late the deadline of a standstill may be noticed. */
const TICK_MS = 500
/** Turns come this often: short beside the round trips of circuits, 250 KB at a slot that is not locked. */
export const TURN_MS = 20

/** Creates an idle watch. */
export function createMeterWatch(
  runtime: Pick<LinkRuntime, 'nowMs' | 'setTimer'>,
  tickMs: number = TICK_MS,
): MeterWatch {
  const waiting = new Set<Ticking>()
  let timer: LinkTimer | undefined

  function arm(): void {
    if (timer || waiting.size === 0) return
    timer = runtime.setTimer(() => {
      timer = undefined
      const nowMs = runtime.nowMs()
      for (const meter of waiting) meter.onTick(nowMs)
      arm()
    }, tickMs)
  }

  return {
    get size() {
      return waiting.size
    },
    nowMs: () => runtime.nowMs(),
    add(meter) {
      waiting.add(meter)
      arm()
    },
    remove(meter) {
      waiting.delete(meter)
    },
    stop() {
      waiting.clear()
      timer?.cancel()
      timer = undefined
    },
  }
}
