/**
 * Guards that are used last because clearly less comes through them than through another (SPEC §10.3, ADR-0048). More cannot come through a guard than it lets through, so nobody can lie about
 * another by it. Lives in memory.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { GuardLevels, SlowGuard } from './guard-levels.ts'
import { setNewest } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** So long a guard that was slow is used last. */
const SLOW_FOR_MS: number = 12 * 3_600_000
/** As many guards as a client may ever have in use. */
const MAX_SLOW = 60

export type SlowGuardsDeps = {
  readonly levels: GuardLevels
  /** Told when a guard turns out to be slow. */
  readonly onSlow: (facts: SlowGuard) => void
  readonly monotonicMs: () => number
}

/** Who is slow. */
export interface SlowGuards {
  /** Holds each guard against those after it. @param guards - in the client's order */
  judge(guards: readonly NodeKey[]): void
  readonly isSlow: (guard: NodeKey) => boolean
}

/** Creates an empty list. */
export function createSlowGuards({ levels, onSlow, monotonicMs }: SlowGuardsDeps): SlowGuards {
  const untilMs = new Map<NodeKey, number>()
  const isSlow = (guard: NodeKey): boolean => (untilMs.get(guard) ?? 0) > monotonicMs()
  return {
    judge(guards) {
      for (const [at, guard] of guards.entries()) {
        if (isSlow(guard)) continue
        const [facts] = guards.slice(at + 1).flatMap((other) => levels.slowness(guard, other) ?? [])
        if (!facts) continue
        setNewest(untilMs, guard, monotonicMs() + SLOW_FOR_MS, MAX_SLOW)
        onSlow(facts)
      }
    },
    isSlow,
  }
}
