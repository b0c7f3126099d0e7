/**
 * How many circuits one link may open (THREAT-MODEL T15): a token bucket and a cap for each client link, a cap for each node link.
 * Tor's numbers. Time is an argument.
 * @module
 */

// Local limits (tunable): docs/LIMITS.md.
/** Circuits a second that a client may open once its burst is used up. */
const CLIENT_CREATES_PER_S = 3
const CLIENT_CREATE_BURST = 90
const CLIENT_OPEN_CIRCUITS = 128
/** A neighbour carries the circuits of many clients. */
const NODE_CREATES_PER_S = 200
const NODE_CREATE_BURST = 2000
const NODE_OPEN_CIRCUITS = 20_000

/** The limits of one link. */
export interface CreateLimits {
  /** True when one more circuit may be opened now; takes it from the bucket. */
  tryCreate(openCircuits: number, nowMs: number): boolean
}

/** Creates the limits for a link to a client or to a node. */
export function createCreateLimits(role: 'client' | 'node', startMs: number): CreateLimits {
  const perMs = (role === 'client' ? CLIENT_CREATES_PER_S : NODE_CREATES_PER_S) / 1000
  const burst = role === 'client' ? CLIENT_CREATE_BURST : NODE_CREATE_BURST
  const maxOpen = role === 'client' ? CLIENT_OPEN_CIRCUITS : NODE_OPEN_CIRCUITS
  let tokens = burst
  let filledAtMs = startMs
  return {
    tryCreate(openCircuits, nowMs) {
      tokens = Math.min(burst, tokens + Math.max(0, nowMs - filledAtMs) * perMs)
      filledAtMs = nowMs
      if (openCircuits >= maxOpen || tokens < 1) return false
      tokens--
      return true
    },
  }
}
