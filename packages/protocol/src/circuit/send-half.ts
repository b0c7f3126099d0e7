/**
 * The sending half of one stream: bytes of the application that wait, the absolute offset the peer granted, and the end
 * (SPEC §7.2, §8.3). Hands out views of what was written; keeping them until they are acknowledged is tunnel-sender.ts.
 * @module
 */
import { createFifo, type Fifo } from './fifo.ts'

/** One direction of one stream at its sender. */
export interface SendHalf {
  readonly queuedBytes: number
  /** The first byte that has not been handed out. */
  readonly sentOffset: number
  /** Instant at which the oldest waiting byte was written; Infinity when none waits. */
  readonly oldestAtMs: number
  /** Bytes that may be handed out now: what waits, within the window. */
  readonly sendableBytes: number
  /**
   * Queues bytes. The chunk may be kept by reference, so that it must not change; tiny ones are copied. An owned one has no other
   * user: its memory may be freed after its last byte.
   */
  push(chunk: Uint8Array, nowMs: number, isOwned?: boolean): void
  /** True when `take` has just handed out the last bytes of an owned chunk: the view's memory has no other user to come. */
  readonly endsOwned: boolean
  /** Hands out up to `maxBytes` in one view, or undefined. */
  take(maxBytes: number): Uint8Array | undefined
  /** Takes a WINDOW; false when the offset fell or is wider than any receiver may grant (SPEC §8.3). */
  grant(offset: number): boolean
  /** Forgets what waits. */
  clear(): void
}

/** Creates the half of a fresh stream, with the initial window. */
export function createSendHalf(): SendHalf {
  return new Sending()
}

type Chunk = {
  bytes: Uint8Array
  start: number
  end: number
  readonly atMs: number
  /** Ours, with room behind `end` for more tiny writes. */
  readonly own: boolean
  /** The caller's, and given away. */
  readonly isOwned: boolean
}

class Sending implements SendHalf {
  queuedBytes = 0
  sentOffset = 0
  endsOwned = false
  #granted = INITIAL_WINDOW_BYTES
  readonly #chunks: Fifo<Chunk> = createFifo()

  get oldestAtMs(): number {
    return this.#chunks.peek()?.atMs ?? Number.POSITIVE_INFINITY
  }

  get sendableBytes(): number {
    return Math.min(this.queuedBytes, this.#granted - this.sentOffset)
  }

  push(chunk: Uint8Array, nowMs: number, isOwned = false): void {
    if (chunk.length === 0) return
    this.queuedBytes += chunk.length
    if (chunk.length >= COPY_BELOW_BYTES) {
      const whole = { bytes: chunk, start: 0, end: chunk.length, atMs: nowMs }
      this.#chunks.push({ ...whole, own: false, isOwned })
      return
    }
    const last = this.#chunks.last()
    if (last?.own && last.bytes.length - last.end >= chunk.length) {
      last.bytes.set(chunk, last.end)
      last.end += chunk.length
      return
    }
    const bytes = new Uint8Array(this.#chunks.length === 0 ? chunk.length : TINY_POOL_BYTES)
    bytes.set(chunk)
    const block = { bytes, start: 0, end: chunk.length, atMs: nowMs }
    this.#chunks.push({ ...block, own: true, isOwned: false })
  }

  take(maxBytes: number): Uint8Array | undefined {
    const chunk = this.#chunks.peek()
    if (!chunk) return undefined
    const count = Math.min(maxBytes, this.sendableBytes, chunk.end - chunk.start)
    if (count <= 0) return undefined
    const view = chunk.bytes.subarray(chunk.start, chunk.start + count)
    chunk.start += count
    this.queuedBytes -= count
    this.sentOffset += count
    this.endsOwned = chunk.isOwned && chunk.start === chunk.end
    if (chunk.start === chunk.end) this.#chunks.shift()
    return view
  }

  // SPEC §8.3: the offset never falls; a receiver may widen the distance up to 4 MiB.
  grant(offset: number): boolean {
    if (offset < this.#granted || offset > this.sentOffset + MAX_WINDOW_BYTES) return false
    this.#granted = offset
    return true
  }

  clear(): void {
    this.#chunks.clear()
    this.queuedBytes = 0
  }
}

const KIB = 1024

// Protocol constants (change needs a spec change): SPEC §8.3.
export const INITIAL_WINDOW_BYTES: number = 256 * KIB
export const MAX_WINDOW_BYTES: number = 4096 * KIB

// Local limits (tunable).
/** A smaller chunk is copied: a view of it would keep a whole read buffer alive. */
const COPY_BELOW_BYTES = 1 * KIB
/** Where tiny writes gather, so that a thousand of them are not a thousand messages. */
const TINY_POOL_BYTES = 4 * KIB
