/**
 * What is in flight on one direction of a circuit, and the authenticated acknowledgements that bring it down
 * (SPEC §8.1). The sender's half asks; the receiver's half owes answers. How large the window is: congestion.ts.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import { createCongestion, type Congestion } from './congestion.ts'
import { createFifo, type Fifo } from './fifo.ts'

/** Makes random bytes; the driver's, so that this folder has no randomness of its own. */
export type RandomBytes = (count: number) => Uint8Array

/** An ACK_REQUEST to put into the cell at hand. */
export type AckRequest = { readonly serial: number; readonly token: Uint8Array }

/** The sender's half. Bytes are those of whole cells that carry a sequenced message. */
export interface SendWindow {
  readonly congestion: Congestion
  readonly inflightBytes: number
  /** True while an ACK is on its way. */
  readonly isWaiting: boolean
  /** True while another cell may go: SPEC §8.1, "holds back while inflight ≥ cwnd". */
  canSend(): boolean
  /** True when a cell of `cellBytes`, sent now, must carry an ACK_REQUEST. `queueEmpties`: nothing waits behind it. */
  wantsAckRequest(cellBytes: number, queueEmpties: boolean): boolean
  /** True when bytes are in flight that no request covers: a sender that is stuck must ask, or it stays stuck. */
  hasUncovered(): boolean
  /** Opens a request for the cell at hand; `onSent` must follow, as its bytes are covered. */
  takeAckRequest(nowMs: number, cellBytes: number): AckRequest
  /** Counts a cell as sent. */
  onSent(cellBytes: number): void
  /** Takes an ACK; false when no request is waiting for exactly this one (the circuit must die). */
  onAck(serial: number, token: Uint8Array, nowMs: number): boolean
}

/** Creates the sender's half for a fresh leg. */
export function createSendWindow(randomBytes: RandomBytes): SendWindow {
  return new Sender(randomBytes)
}

type Pending = {
  readonly serial: number
  readonly token: Uint8Array
  readonly sentAtMs: number
  readonly coversBytes: number
}

class Sender implements SendWindow {
  readonly congestion: Congestion = createCongestion()
  readonly #randomBytes: RandomBytes
  #tokens: Uint8Array = new Uint8Array(0)
  /** Requests without answer, oldest first. Circuits keep order, so answers come in this order. */
  readonly #pending: Fifo<Pending> = createFifo()
  #sentBytes = 0
  #ackedBytes = 0
  #requestedBytes = 0
  #serial = 0

  constructor(randomBytes: RandomBytes) {
    this.#randomBytes = randomBytes
  }

  get inflightBytes(): number {
    return this.#sentBytes - this.#ackedBytes
  }

  get isWaiting(): boolean {
    return this.#pending.length > 0
  }

  canSend(): boolean {
    return this.inflightBytes < this.congestion.cwndBytes
  }

  wantsAckRequest(cellBytes: number, queueEmpties: boolean): boolean {
    const since = this.#sentBytes + cellBytes - this.#requestedBytes
    if (since >= Math.max(ACK_EVERY_BYTES, this.congestion.cwndBytes >>> 3)) return true
    return queueEmpties && since >= ACK_WHEN_EMPTY_BYTES
  }

  hasUncovered(): boolean {
    return this.#pending.length === 0 && this.#sentBytes > this.#ackedBytes
  }

  takeAckRequest(nowMs: number, cellBytes: number): AckRequest {
    const token = this.#takeToken()
    this.#serial = (this.#serial + 1) >>> 0
    const coversBytes = this.#sentBytes + cellBytes
    this.#requestedBytes = coversBytes
    this.#pending.push({ serial: this.#serial, token, sentAtMs: nowMs, coversBytes })
    return { serial: this.#serial, token }
  }

  /** Drawn many at a time: with a call for each (plain version) an exit in bulk spent 1.5 % of its samples in the generator, now 0.2 %. */
  #takeToken(): Uint8Array {
    if (this.#tokens.length === 0)
      this.#tokens = this.#randomBytes(ACK_TOKEN_BYTES * TOKENS_AT_ONCE)
    const token = this.#tokens.subarray(0, ACK_TOKEN_BYTES)
    this.#tokens = this.#tokens.subarray(ACK_TOKEN_BYTES)
    return token
  }

  onSent(cellBytes: number): void {
    this.#sentBytes += cellBytes
    if (this.inflightBytes + FULL_SLACK_BYTES >= this.congestion.cwndBytes) this.congestion.onFull()
  }

  // SPEC §8.1: an ACK with an unknown serial or wrong bytes kills the circuit.
  onAck(serial: number, token: Uint8Array, nowMs: number): boolean {
    const head = this.#pending.peek()
    if (!head || head.serial !== serial || !equalBytes(head.token, token)) return false
    this.#pending.shift()
    const acked = head.coversBytes - this.#ackedBytes
    this.#ackedBytes = head.coversBytes
    this.congestion.onAck(nowMs - head.sentAtMs, acked, this.#ackedBytes, this.#sentBytes)
    return true
  }
}

/** The receiver's half: the ACKs owed to the other end. */
export interface AckDebt {
  readonly count: number
  /** Takes an ACK_REQUEST; false when more are owed than any honest sender can ask for. */
  add(serial: number, token: Uint8Array): boolean
  /** The oldest ACK owed, to be written next. */
  peek(): AckRequest | undefined
  /** Drops the oldest: it has been written. */
  shift(): void
}

/** Creates the receiver's half for a fresh leg. */
export function createAckDebt(): AckDebt {
  const owed: Fifo<AckRequest> = createFifo()
  return {
    get count(): number {
      return owed.length
    },
    add(serial, token) {
      if (owed.length >= MAX_OWED_ACKS) return false
      owed.push({ serial, token: token.slice() })
      return true
    },
    peek: () => owed.peek(),
    shift() {
      owed.shift()
    },
  }
}

// Protocol constants (change needs a spec change): SPEC §8.1.
/** Random bytes of an ACK_REQUEST: only who has read the cell can echo them. */
export const ACK_TOKEN_BYTES = 8
const ACK_EVERY_BYTES = 64 * 1024
const ACK_WHEN_EMPTY_BYTES = 16 * 1024

// Local limits (tunable).
const TOKENS_AT_ONCE = 32
/** One large cell: nearer to full than this nothing more is sent, so it counts as full. */
const FULL_SLACK_BYTES = 16 * 1024
/** A sender with the largest window asks at most every 16 KiB: 512 at once. Twice that is no honest sender. */
export const MAX_OWED_ACKS = 1024
