/**
 * The receiving half of a tunnel: takes sequenced messages in order and once (SPEC §9.1).
 * @module
 */

/** What to do with a sequenced message: take it, drop it silently, or kill the leg. */
export type SequenceVerdict = 'take' | 'duplicate' | 'gap'

/** One direction of a tunnel at its receiver. */
export interface TunnelReceiver {
  /** The number that must come next; what TUNNEL_ACK, JOIN and JOINED say. */
  readonly nextExpected: number
  /** Judges a number and, on `take`, goes past it. */
  accept(sequence: number): SequenceVerdict
}

/** Creates the half of a fresh tunnel. */
export function createTunnelReceiver(): TunnelReceiver {
  let nextExpected = 0
  return {
    get nextExpected(): number {
      return nextExpected
    },
    accept(sequence) {
      if (sequence < nextExpected) return 'duplicate'
      if (sequence > nextExpected) return 'gap'
      nextExpected++
      return 'take'
    },
  }
}
