/**
 * The sending half of a tunnel: numbers sequenced messages and keeps them until the other end acknowledges them in
 * order, so that another leg can send them again (SPEC §9.1). Knows no streams and no cells.
 * @module
 */
import { createFifo, type Fifo } from './fifo.ts'

/** A sequenced message in keeping. `M` is the message as the codec writes it. */
export type Kept<M> = {
  readonly message: M
  readonly sequence: number
  /** What keeping it costs: its bytes and the entry itself. */
  readonly costBytes: number
  readonly keptAtMs: number
}

/** One direction of a tunnel at its sender. */
export interface TunnelSender<M> {
  /** The number of the next new message. */
  readonly nextSequence: number
  readonly keptBytes: number
  /** Instant at which the oldest kept message was first sent; Infinity when none is kept. */
  readonly oldestAtMs: number
  /** Bytes of the kept messages that this leg has not carried yet. */
  readonly resendBytes: number
  /** Bytes of the messages that had gone and that the last rewind puts back: each counts once for each time it was sent. */
  readonly lostBytes: number
  /** True while SPEC §9.1 lets the tunnel take more from its application. */
  hasRoom(): boolean
  /** Takes a new message, numbered `nextSequence`, as sent on this leg. All earlier ones must have been sent. */
  keep(message: M, bytes: number, nowMs: number): void
  /** The next kept message that this leg has not carried yet, or undefined when all have gone. */
  peekResend(): Kept<M> | undefined
  /** Goes past it: it has been sent. */
  shiftResend(): void
  /** Takes a TUNNEL_ACK; false when it acknowledges what this leg never carried. */
  onAck(nextExpected: number): boolean
  /** Starts a new leg at the other end's next sequence; false when that is not among what is kept. */
  rewind(nextExpected: number): boolean
  /** Forgets everything. */
  clear(): void
}

/** Creates the half of a fresh tunnel. `onAcked` gets each message that the other end has, in order. */
export function createTunnelSender<M>(onAcked: (message: M) => void = () => {}): TunnelSender<M> {
  return new Sender<M>(onAcked)
}

class Sender<M> implements TunnelSender<M> {
  nextSequence = 0
  keptBytes = 0
  resendBytes = 0
  lostBytes = 0
  readonly #onAcked: (message: M) => void
  readonly #kept: Fifo<Kept<M>> = createFifo()
  /** The number of the oldest kept message. */
  #firstSequence = 0
  /** The number of the first message that this leg has not carried. */
  #cursor = 0

  constructor(onAcked: (message: M) => void) {
    this.#onAcked = onAcked
  }

  get oldestAtMs(): number {
    return this.#kept.peek()?.keptAtMs ?? Number.POSITIVE_INFINITY
  }

  hasRoom(): boolean {
    return this.keptBytes <= MAX_KEPT_BYTES - LARGEST_COST_BYTES
  }

  keep(message: M, bytes: number, nowMs: number): void {
    const costBytes = bytes + ENTRY_COST_BYTES
    this.#kept.push({ message, sequence: this.nextSequence, costBytes, keptAtMs: nowMs })
    this.keptBytes += costBytes
    this.nextSequence++
    this.#cursor = this.nextSequence
  }

  peekResend(): Kept<M> | undefined {
    return this.#kept.at(this.#cursor - this.#firstSequence)
  }

  shiftResend(): void {
    const kept = this.peekResend()
    if (!kept) return
    this.resendBytes -= kept.costBytes
    this.#cursor++
  }

  onAck(nextExpected: number): boolean {
    if (nextExpected > this.#cursor) return false
    this.#release(nextExpected)
    return true
  }

  rewind(nextExpected: number): boolean {
    if (nextExpected < this.#firstSequence || nextExpected > this.nextSequence) return false
    this.#release(nextExpected)
    this.lostBytes = this.#bytesBetween(nextExpected, this.#cursor)
    this.#cursor = nextExpected
    this.resendBytes = this.keptBytes
    return true
  }

  clear(): void {
    this.#kept.clear()
    this.keptBytes = 0
    this.resendBytes = 0
    this.#firstSequence = this.nextSequence
    this.#cursor = this.nextSequence
  }

  #bytesBetween(from: number, to: number): number {
    let bytes = 0
    for (let sequence = from; sequence < to; sequence++) {
      const kept = this.#kept.at(sequence - this.#firstSequence)
      if (kept) bytes += kept.costBytes - ENTRY_COST_BYTES
    }
    return bytes
  }

  #release(nextExpected: number): void {
    while (this.#firstSequence < nextExpected) {
      const kept = this.#kept.shift()
      if (!kept) return
      this.keptBytes -= kept.costBytes
      this.#firstSequence++
      this.#onAcked(kept.message)
    }
  }
}

/** Protocol constant (change needs a spec change): SPEC §9.1, also what an orphan may pin (SPEC §9.3). */
export const MAX_KEPT_BYTES: number = 4 * 1024 * 1024

/** Local limit (tunable): what an entry costs beside its bytes, so that a million empty messages count as well. */
const ENTRY_COST_BYTES = 64
/** A message is at most what fits into a cell of 16 KiB. */
const LARGEST_COST_BYTES = 16 * 1024 + ENTRY_COST_BYTES
