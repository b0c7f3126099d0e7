/**
 * How old a client's directory is (SPEC §10.2): since a guard last answered with what is new, also over restarts. Guards that fall silent while the chain goes on would else keep a client
 * on what they showed it last, which stays good until its editions expire.
 * @module
 */
import { clientError } from './errors.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A set is asked for every ten minutes: after so long several guards have said nothing, and the user is told. */
const OLD_MS = 3 * 3_600_000
/** DESIGN §6: no circuit is built from what is older. Twice a day each node says something new. */
const MAX_AGE_MS = 86_400_000
/** A clock that was put back by less is no reason to refuse; by more, and nobody knows how old the set is. */
const MAX_BACK_MS = 3_600_000

/** The age of one set. */
export interface SetAge {
  /** When a guard last answered, wall clock; -Infinity when nobody knows. */
  readonly fetchedAtMs: number
  /** Since then in whole seconds; -1 when nobody knows. */
  ageS(nowMs: number): number
  /** False while {@link requireFresh} throws. */
  isFresh(nowMs: number): boolean
  /** @throws DIRECTORY_OLD */
  requireFresh(nowMs: number): void
  /** What it was when it was stored. */
  restore(fetchedAtMs: number): void
  onFetched(nowMs: number): void
  /** To be called now and then: tells, once until the next answer, that the set grows old. */
  look(nowMs: number): void
}

/** Creates that of a set which was never fetched. @param onOld - told once with its age in milliseconds; -1 where nobody knows */
export function createSetAge(onOld: (ageMs: number) => void): SetAge {
  let fetchedAtMs = Number.NEGATIVE_INFINITY
  let isTold = false

  function ageMs(nowMs: number): number {
    const passedMs = nowMs - fetchedAtMs
    return passedMs < -MAX_BACK_MS ? Number.POSITIVE_INFINITY : Math.max(0, passedMs)
  }

  return {
    get fetchedAtMs() {
      return fetchedAtMs
    },
    ageS: (nowMs) => toSeconds(ageMs(nowMs)),
    isFresh: (nowMs) => ageMs(nowMs) <= MAX_AGE_MS,
    requireFresh(nowMs) {
      const passedMs = ageMs(nowMs)
      if (passedMs > MAX_AGE_MS) throw clientError('DIRECTORY_OLD', { ageS: toSeconds(passedMs) })
    },
    restore(atMs) {
      fetchedAtMs = atMs
    },
    onFetched(nowMs) {
      fetchedAtMs = nowMs
      isTold = false
    },
    look(nowMs) {
      const passedMs = ageMs(nowMs)
      if (isTold || passedMs <= OLD_MS) return
      isTold = true
      onOld(Number.isFinite(passedMs) ? passedMs : -1)
    },
  }
}

/** Contexts and status are JSON, which has no infinity. */
function toSeconds(ms: number): number {
  return Number.isFinite(ms) ? Math.round(ms / 1000) : -1
}
