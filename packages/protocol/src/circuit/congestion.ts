/**
 * The congestion window of one direction of a circuit, in bytes (SPEC §8.2, after Tor's proposal 324, Vegas).
 * Decides how much may be in flight; what is in flight, and which acknowledgement belongs to what, is window.ts.
 * @module
 */

/** One direction's congestion state. Times are milliseconds of any steady clock; fractions count. */
export interface Congestion {
  /** Bytes that may be in flight; between {@link MIN_CWND_BYTES} and {@link MAX_CWND_BYTES}. */
  readonly cwndBytes: number
  /** Smallest round trip seen on this circuit; 0 before the first. */
  readonly baseRttMs: number
  /** The last round trip taken into account; 0 before the first. */
  readonly rttMs: number
  readonly inSlowStart: boolean
  /** Tells that the window was full: it grows only while it is (SPEC §8.2). */
  onFull(): void
  /** Takes one acknowledgement: its round trip, the bytes it covers, and all bytes sent and acknowledged so far. */
  onAck(rttMs: number, ackedBytes: number, totalAckedBytes: number, totalSentBytes: number): void
}

/** Creates the state of a fresh circuit. */
export function createCongestion(): Congestion {
  return new Vegas()
}

class Vegas implements Congestion {
  cwndBytes = START_CWND_BYTES
  baseRttMs = 0
  rttMs = 0
  inSlowStart = true
  #full = false
  /** Smallest round trip of the window under way: one late event loop must not look like a queue. */
  #windowRttMs = Number.POSITIVE_INFINITY
  /** The window under way ends when this many bytes have been acknowledged. */
  #windowEndBytes = 0

  onFull(): void {
    this.#full = true
  }

  onAck(rttMs: number, ackedBytes: number, totalAcked: number, totalSent: number): void {
    if (!this.#isPlausible(rttMs)) return
    this.rttMs = rttMs
    if (this.baseRttMs === 0 || rttMs < this.baseRttMs) this.baseRttMs = rttMs
    if (rttMs < this.#windowRttMs) this.#windowRttMs = rttMs
    if (this.inSlowStart) this.#slowStart(ackedBytes)
    if (totalAcked < this.#windowEndBytes) return
    if (!this.inSlowStart) this.#avoidCongestion()
    this.#windowEndBytes = totalSent
    this.#windowRttMs = Number.POSITIVE_INFINITY
    this.#full = false
  }

  /** SPEC §8.2: an rtt of 0, or 5000 times off, is ignored (a clock jumped). */
  #isPlausible(rttMs: number): boolean {
    if (!(rttMs > 0) || !Number.isFinite(rttMs)) return false
    const base = this.baseRttMs
    return base === 0 || (rttMs < base * RTT_OFF_FACTOR && rttMs > base / RTT_OFF_FACTOR)
  }

  #queueBytes(): number {
    const part = (this.baseRttMs + RTT_TOLERANCE_MS) / this.#windowRttMs
    return part >= 1 ? 0 : this.cwndBytes * (1 - part)
  }

  /** Doubles per window: each acknowledged byte lets one more go. */
  #slowStart(ackedBytes: number): void {
    const queue = this.#queueBytes()
    if (queue >= GROW_BELOW_BYTES) {
      this.inSlowStart = false
      this.#set(this.cwndBytes - queue)
      return
    }
    if (!this.#full) return
    this.#set(Math.min(this.cwndBytes + ackedBytes, SLOW_START_CAP_BYTES))
    if (this.cwndBytes >= SLOW_START_CAP_BYTES) this.inSlowStart = false
  }

  #avoidCongestion(): void {
    const queue = this.#queueBytes()
    if (queue > RESTART_ABOVE_BYTES) this.#set(this.cwndBytes - queue)
    else if (queue > SHRINK_ABOVE_BYTES) this.#set(this.cwndBytes - STEP_BYTES)
    else if (queue < GROW_BELOW_BYTES && this.#full) this.#set(this.cwndBytes + STEP_BYTES)
  }

  #set(bytes: number): void {
    this.cwndBytes = Math.max(MIN_CWND_BYTES, Math.min(MAX_CWND_BYTES, Math.floor(bytes)))
  }
}

const KIB = 1024

// Protocol constants (change needs a spec change): SPEC §8.2.
/** Below this nothing can be measured: it is the distance between two acknowledgements. */
export const MIN_CWND_BYTES: number = 64 * KIB
/** 8 MiB: 320 Mbit/s at 200 ms; also what one circuit can pin in relays on its way. */
export const MAX_CWND_BYTES: number = 8192 * KIB
const START_CWND_BYTES = 128 * KIB
const SLOW_START_CAP_BYTES = 2560 * KIB
const STEP_BYTES = 64 * KIB
const GROW_BELOW_BYTES = 64 * KIB
const SHRINK_ABOVE_BYTES = 192 * KIB
const RESTART_ABOVE_BYTES = 512 * KIB
const RTT_TOLERANCE_MS = 5
const RTT_OFF_FACTOR = 5000
