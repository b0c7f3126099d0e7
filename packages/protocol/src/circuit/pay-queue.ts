/**
 * Payment messages on their way to one hop or to one client (SPEC §15.1). They carry no sequence: a leg that dies takes those under
 * way with it, and whoever pays or is paid says them again or learns it from the count.
 * @module
 */
import { encodePayMessage, MESSAGE_HEADER_BYTES, type PayMessage } from '@byway/protocol/wire'
import { createFifo, type Fifo } from './fifo.ts'

/** Encoded messages that wait for a cell. */
export interface PayQueue {
  readonly length: number
  /** What the waiting messages take in lists, headers included. */
  readonly bytes: number
  /** Queues a message; false, with nothing queued, when too much waits already. */
  push(message: PayMessage): boolean
  /** The body that must go next. */
  peek(): Uint8Array | undefined
  shift(): void
  clear(): void
}

/** Creates an empty queue. */
export function createPayQueue(): PayQueue {
  return new Queue()
}

class Queue implements PayQueue {
  bytes = 0
  readonly #bodies: Fifo<Uint8Array> = createFifo()

  get length(): number {
    return this.#bodies.length
  }

  push(message: PayMessage): boolean {
    const body = encodePayMessage(message)
    const bytes = body.length + MESSAGE_HEADER_BYTES
    if (this.bytes + bytes > MAX_QUEUED_PAY_BYTES) return false
    this.#bodies.push(body)
    this.bytes += bytes
    return true
  }

  peek(): Uint8Array | undefined {
    return this.#bodies.peek()
  }

  shift(): void {
    const body = this.#bodies.shift()
    if (body) this.bytes -= body.length + MESSAGE_HEADER_BYTES
  }

  clear(): void {
    this.#bodies.clear()
    this.bytes = 0
  }
}

/** Local limit (tunable): payment messages that wait in one direction; five purchases of the largest size. */
const MAX_QUEUED_PAY_BYTES = 64 * 1024
