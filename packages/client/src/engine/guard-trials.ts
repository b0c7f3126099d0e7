/**
 * How circuits fare behind each guard (SPEC §10.3, ADR-0046): one behind which clearly more fail than behind the client's other primary guards is used after them. A guard that fails
 * what does not end at its friends would otherwise be where all circuits begin.
 *
 * A circuit counts as failed by a guard only when the same nodes after it were then reached over another guard, so that exits that are gone count against nobody.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import { setNewest } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** What is older counts half for each of these: a guard that was cut off for an hour is itself again the next day. */
const HALF_LIFE_MS: number = 12 * 3_600_000
/** More than so many must have failed: lines break now and then. */
const HARMLESS_FAILURES = 4
/** So large a part of circuits may fail behind a guard whatever others do. */
const HARMLESS_PART = 0.1
/** And so many times the part that fails behind the others. */
const TIMES_OTHERS = 2
/** What is taken of others before anything was seen of them: circuits, and failures among them. */
const PRIOR_TRIED = 10
const PRIOR_FAILED = 1
/** As many guards as a client may ever have in use. */
const MAX_GUARDS = 60

/** What became of a circuit by its guard. */
export type Trial =
  | 'built'
  /** It was not built, though the nodes after the guard were there. */
  | 'failed'
  /** One that was built was ended while its guard and its exit were there. */
  | 'ended'

/** A guard that is used last, and why; counts are rounded. */
export type SuspectGuard = {
  readonly tried: number
  readonly failed: number
  /** Of all circuits behind the other primary guards, 0 to 1. */
  readonly othersFailed: number
}

/** The counts. */
export interface GuardTrials {
  note(guard: NodeKey, trial: Trial): void
  /** True for a guard behind which clearly more fails than behind the other primary guards. */
  isSuspect(guard: NodeKey): boolean
}

export type GuardTrialsDeps = {
  readonly primary: () => readonly NodeKey[]
  /** Told when a guard becomes suspect. */
  readonly onSuspect: (facts: SuspectGuard) => void
  /** Monotonic. */
  readonly nowMs: () => number
}

type Counts = { readonly tried: number; readonly failed: number; readonly atMs: number }

/** Creates empty counts, which live in memory. */
export function createGuardTrials({ primary, onSuspect, nowMs }: GuardTrialsDeps): GuardTrials {
  const counts = new Map<NodeKey, Counts>()

  function countsOf(guard: NodeKey): Counts {
    const atMs = nowMs()
    const known = counts.get(guard) ?? { tried: 0, failed: 0, atMs }
    const fading = 2 ** ((known.atMs - atMs) / HALF_LIFE_MS)
    return { tried: known.tried * fading, failed: known.failed * fading, atMs }
  }

  function othersFailed(guard: NodeKey): number {
    let [tried, failed] = [PRIOR_TRIED, PRIOR_FAILED]
    for (const other of primary()) {
      if (other === guard) continue
      const its = countsOf(other)
      tried += its.tried
      failed += its.failed
    }
    return Math.min(1, failed / tried)
  }

  function isSuspect(guard: NodeKey): boolean {
    const { tried, failed } = countsOf(guard)
    if (failed <= HARMLESS_FAILURES) return false
    return failed > (HARMLESS_PART + TIMES_OTHERS * othersFailed(guard)) * tried
  }

  return {
    note(guard, trial) {
      const wasSuspect = isSuspect(guard)
      const { tried, failed, atMs } = countsOf(guard)
      const next = {
        tried: tried + Number(trial !== 'ended'),
        failed: failed + Number(trial !== 'built'),
        atMs,
      }
      setNewest(counts, guard, next, MAX_GUARDS)
      if (wasSuspect || !isSuspect(guard)) return
      onSuspect({
        tried: Math.round(next.tried),
        failed: Math.round(next.failed),
        othersFailed: othersFailed(guard),
      })
    },
    isSuspect,
  }
}
