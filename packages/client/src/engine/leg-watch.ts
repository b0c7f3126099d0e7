/**
 * Finds a leg that has gone silent (SPEC §8.1): a relay that is stopped, or one that keeps its links and drops a circuit's cells, which no
 * link can see. Asks the exit for a sign of life; when none comes, the tunnel joins by another way. Waits longer and longer while a quiet
 * leg answers, so that idle streams cost little.
 * @module
 */

/** What is watched. */
export type LegWatchDeps = {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** True while somebody would miss the leg, and nothing else looks after it. */
  readonly isNeeded: () => boolean
  /** True while cells of the leg still wait on this side: their link is watched by its own PINGs. */
  readonly isSending: () => boolean
  /** Asks the other end for an answer. */
  readonly probe: () => void
  readonly onSilent: () => void
}

/** The watch over one leg. */
export interface LegWatch {
  /** An authenticated cell has come. */
  onHeard(): void
  /** Looks once; the timer calls it. */
  check(): void
  stop(): void
}

/** Starts watching. */
export function startLegWatch(deps: LegWatchDeps): LegWatch {
  let silentSinceMs = deps.nowMs()
  let probedAtMs: number | undefined
  let quietMs = FIRST_QUIET_MS
  let checkedAtMs = silentSinceMs
  let isOver = false

  function restart(nowMs: number): void {
    silentSinceMs = nowMs
    probedAtMs = undefined
  }

  function stop(): void {
    isOver = true
    clearInterval(timer)
  }

  function check(): void {
    if (isOver) return
    const nowMs = deps.nowMs()
    // Silence does not count while this process itself stood still, or nobody listens.
    const isLate = nowMs - checkedAtMs > CHECK_MS + OWN_LATENESS_MS
    checkedAtMs = nowMs
    if (isLate || !deps.isNeeded()) {
      restart(nowMs)
      return
    }
    if (probedAtMs === undefined) {
      if (nowMs - silentSinceMs < quietMs) return
      probedAtMs = nowMs
      deps.probe()
      return
    }
    if (deps.isSending()) probedAtMs = nowMs
    if (nowMs - probedAtMs < ANSWER_MS) return
    stop()
    deps.onSilent()
  }

  const timer = setInterval(check, CHECK_MS)
  timer.unref()
  return {
    onHeard() {
      // An answer to a probe on an idle leg: the next one may wait. Anything else is traffic.
      quietMs = probedAtMs === undefined ? FIRST_QUIET_MS : Math.min(quietMs * 2, MAX_QUIET_MS)
      restart(deps.nowMs())
    },
    check,
    stop,
  }
}

// Local limits (tunable): docs/LIMITS.md.
/** A leg under load is never silent for so long; with the two below, a stopped relay is found within 12 s. */
const FIRST_QUIET_MS = 3000
/** For idle streams: with the answer's time a dead leg is found within 45 s. */
const MAX_QUIET_MS = 32_000
/** Several round trips of a bad path. */
const ANSWER_MS = 5000
const CHECK_MS = 1000
const OWN_LATENESS_MS = 1000
