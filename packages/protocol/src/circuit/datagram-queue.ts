/**
 * Datagrams on their way into cells: never retransmitted, never queued for longer than 100 ms (SPEC §7.3).
 * @module
 */
import { createFifo, type Fifo } from './fifo.ts'

/** Datagrams that wait for a cell. */
export interface DatagramQueue<Message> {
  readonly queuedBytes: number
  readonly length: number
  /** Datagrams dropped so far, for the driver's counters. */
  readonly dropped: number
  /** Queues one; it is dropped at once when the queue is full. */
  push(message: Message, bytes: number, nowMs: number): void
  /** The oldest that is still young enough. */
  peek(nowMs: number): Message | undefined
  /** Drops the oldest: it has been written. */
  shift(): void
  clear(): void
}

/** Creates an empty queue. */
export function createDatagramQueue<Message>(): DatagramQueue<Message> {
  return new Queue<Message>()
}

type Item<Message> = { readonly message: Message; readonly bytes: number; readonly atMs: number }

class Queue<Message> implements DatagramQueue<Message> {
  queuedBytes = 0
  dropped = 0
  readonly #items: Fifo<Item<Message>> = createFifo()

  get length(): number {
    return this.#items.length
  }

  push(message: Message, bytes: number, nowMs: number): void {
    this.#dropOld(nowMs)
    if (this.queuedBytes + bytes > MAX_QUEUED_BYTES || this.#items.length >= MAX_QUEUED) {
      this.dropped++
      return
    }
    this.#items.push({ message, bytes, atMs: nowMs })
    this.queuedBytes += bytes
  }

  peek(nowMs: number): Message | undefined {
    this.#dropOld(nowMs)
    return this.#items.peek()?.message
  }

  shift(): void {
    const item = this.#items.shift()
    if (item) this.queuedBytes -= item.bytes
  }

  clear(): void {
    this.#items.clear()
    this.queuedBytes = 0
  }

  #dropOld(nowMs: number): void {
    for (;;) {
      const item = this.#items.peek()
      if (!item || nowMs - item.atMs <= MAX_AGE_MS) return
      this.shift()
      this.dropped++
    }
  }
}

/** Protocol constant (change needs a spec change): SPEC §7.3. */
const MAX_AGE_MS = 100

// Local limits (tunable).
/** 100 ms at 20 Mbit/s; more would be dropped for its age anyway. */
const MAX_QUEUED_BYTES = 256 * 1024
const MAX_QUEUED = 512
