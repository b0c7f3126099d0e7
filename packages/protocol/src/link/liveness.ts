/**
 * Keepalive, padding and the death of a silent peer (SPEC §4.5). Says when a padding cell or a PING is due and when the link is dead;
 * sends nothing itself.
 * @module
 */

// Protocol constants (change needs a spec change): SPEC §4.5.
const PADDING_MIN_MS = 1500
const PADDING_SPAN_MS = 8000
const SILENCE_MS = 15_000
const MAX_MISSES = 2
const STALL_PING_MS = 3000
const STALL_DEAD_MS = 6000
/** Misses do not count while our own event loop is later than this. */
const OWN_LATENESS_MS = 1000

export type LivenessOutput = 'pad' | 'ping' | 'dead'

/** What {@link Liveness.tick} must know of the rest of the link. */
export type LivenessView = {
  readonly outstandingBytes: number
  /** When the peer last reported progress on what is outstanding. */
  readonly progressAtMs: number
  /** How late the event loop runs. */
  readonly lateMs: number
}

/** The timers of one link. */
export interface Liveness {
  /** When {@link Liveness.tick} wants to be called at the latest. */
  readonly wakeAtMs: number
  onHeard(nowMs: number): void
  onSent(nowMs: number): void
  tick(nowMs: number, view: LivenessView): LivenessOutput | undefined
}

/**
 * Creates the timers of one link.
 *
 * @param options.isPadded - true on client links: they are padded both ways
 * @param options.random - uniform in [0, 1)
 */
export function createLiveness(
  nowMs: number,
  options: { readonly isPadded: boolean; readonly random: () => number },
): Liveness {
  let heardAtMs = nowMs
  let misses = 0
  let stallPingAtMs = 0
  let pingDueAtMs = nowMs + SILENCE_MS
  let padDueAtMs = drawPadding(nowMs)

  function drawPadding(from: number): number {
    if (!options.isPadded) return Number.POSITIVE_INFINITY
    return from + PADDING_MIN_MS + options.random() * PADDING_SPAN_MS
  }

  /** Data is outstanding and nothing moved: ask at once, and do not wait long for the answer. */
  function checkStall(now: number, view: LivenessView): LivenessOutput | undefined {
    if (view.outstandingBytes === 0) return undefined
    const stalledSinceMs = Math.max(view.progressAtMs, heardAtMs)
    if (now - stalledSinceMs < STALL_PING_MS) return undefined
    if (stallPingAtMs <= stalledSinceMs) {
      stallPingAtMs = now
      return 'ping'
    }
    return now - stallPingAtMs >= STALL_DEAD_MS ? 'dead' : undefined
  }

  function checkSilence(now: number): LivenessOutput | undefined {
    if (now < pingDueAtMs) return undefined
    if (misses >= MAX_MISSES) return 'dead'
    misses++
    pingDueAtMs = now + SILENCE_MS
    return 'ping'
  }

  return {
    get wakeAtMs() {
      return Math.min(padDueAtMs, pingDueAtMs)
    },
    onHeard(now) {
      heardAtMs = now
      misses = 0
      pingDueAtMs = now + SILENCE_MS
    },
    onSent(now) {
      if (options.isPadded) padDueAtMs = drawPadding(now)
    },
    tick(now, view) {
      if (view.lateMs > OWN_LATENESS_MS) {
        heardAtMs = now
        pingDueAtMs = now + SILENCE_MS
      }
      const urgent = checkStall(now, view) ?? checkSilence(now)
      if (urgent) return urgent
      return now >= padDueAtMs ? 'pad' : undefined
    },
  }
}
