/**
 * The receiving half of one stream: what has come, what the application has consumed, and the absolute offset granted
 * to the peer (SPEC §8.3). Holds no bytes: they go to the application at once, which consumes them when it can.
 * @module
 */
import { INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES } from './send-half.ts'

/** One direction of one stream at its receiver. */
export interface ReceiveHalf {
  readonly receivedOffset: number
  /** The offset granted to the peer; what a WINDOW says. Never falls. */
  readonly grantedOffset: number
  readonly consumedOffset: number
  /** Counts bytes that came; false when they run beyond what was granted. */
  onData(bytes: number): boolean
  /** Counts bytes that the application is done with; true when a WINDOW is due. */
  onConsumed(bytes: number, nowMs: number): boolean
}

/** Creates the half of a fresh stream, with the initial window. */
export function createReceiveHalf(nowMs: number): ReceiveHalf {
  return new Receiving(nowMs)
}

class Receiving implements ReceiveHalf {
  receivedOffset = 0
  grantedOffset = INITIAL_WINDOW_BYTES
  consumedOffset = 0
  #windowBytes = INITIAL_WINDOW_BYTES
  #grantedAtMs: number

  constructor(nowMs: number) {
    this.#grantedAtMs = nowMs
  }

  onData(bytes: number): boolean {
    if (this.receivedOffset + bytes > this.grantedOffset) return false
    this.receivedOffset += bytes
    return true
  }

  onConsumed(bytes: number, nowMs: number): boolean {
    this.consumedOffset = Math.min(this.consumedOffset + bytes, this.receivedOffset)
    // SPEC §8.3: raised by WINDOW when half of it is used up.
    if (this.grantedOffset - this.consumedOffset > this.#windowBytes >>> 1) return false
    if (nowMs - this.#grantedAtMs < WIDEN_WITHIN_MS) {
      this.#windowBytes = Math.min(this.#windowBytes * 2, MAX_WINDOW_BYTES)
    }
    this.#grantedAtMs = nowMs
    this.grantedOffset = this.consumedOffset + this.#windowBytes
    return true
  }
}

/**
 * Local limit (tunable): a window that was half used up within this time is doubled. A sender that only the window
 * holds back uses half of it in half a round trip, so that windows grow for round trips up to a second.
 */
const WIDEN_WITHIN_MS = 500
