/**
 * The streams of a tunnel: ids, the ring of those with something to send, and what may still come for those that are over
 * (SPEC §7.2). A message for a stream that is over is dropped, but only as many as were under way: more would be a
 * channel of dropped messages (THREAT-MODEL T6).
 * @module
 */
import { createFifo, type Fifo } from './fifo.ts'
import { createStream, hasToSend, type Stream, type StreamKind } from './stream.ts'

/** The streams of one tunnel at one end. */
export interface StreamTable<Control> {
  readonly size: number
  /** The largest id that was begun. */
  readonly lastId: number
  get(id: number): Stream<Control> | undefined
  /** Adds a stream; undefined for an id that is not above all earlier ones. */
  begin(id: number, kind: StreamKind, nowMs: number): Stream<Control> | undefined
  /** Forgets a stream that is over. */
  end(stream: Stream<Control>): void
  /** Judges a message for a stream that is not there: true drops it, false kills the circuit. */
  isLate(id: number, dataBytes: number): boolean
  /** Puts a stream into the ring if it has something to send. */
  markReady(stream: Stream<Control>): void
  /** The stream whose turn it is, or undefined. */
  nextReady(): Stream<Control> | undefined
  /** Ends the turn of the stream that `nextReady` gave; it goes to the back if it has more. */
  rotate(): void
  /** Sums what the ring could send, and stops counting at `enoughBytes`. */
  waitingBytes(enoughBytes: number): number
  /** All streams that are not over, in order of their ids. */
  all(): Iterable<Stream<Control>>
}

/** Creates the table of a fresh tunnel. */
export function createStreamTable<Control>(): StreamTable<Control> {
  return new Table<Control>()
}

class Table<Control> implements StreamTable<Control> {
  lastId = 0
  readonly #streams = new Map<number, Stream<Control>>()
  readonly #ring: Fifo<Stream<Control>> = createFifo()
  /** What streams that are over had under way towards us. */
  #lateBytes = 0
  #lateMessages = 0

  get size(): number {
    return this.#streams.size
  }

  get(id: number): Stream<Control> | undefined {
    return this.#streams.get(id)
  }

  // SPEC §7.2: stream ids rise from 1 and are never used again in a tunnel.
  begin(id: number, kind: StreamKind, nowMs: number): Stream<Control> | undefined {
    if (id <= this.lastId) return undefined
    this.lastId = id
    const stream = createStream<Control>(id, kind, nowMs)
    this.#streams.set(id, stream)
    return stream
  }

  end(stream: Stream<Control>): void {
    if (!this.#streams.delete(stream.id)) return
    const { send, receive } = stream
    if (!stream.doneReceived) this.#lateBytes += receive.grantedOffset - receive.receivedOffset
    this.#lateMessages += LATE_MESSAGES + Math.ceil(send.sentOffset / LATE_WINDOW_EVERY_BYTES)
    send.clear()
    stream.controls.clear()
  }

  isLate(id: number, dataBytes: number): boolean {
    if (id === 0 || id > this.lastId) return false
    if (dataBytes > 0) {
      this.#lateBytes -= dataBytes
      return this.#lateBytes >= 0
    }
    this.#lateMessages--
    return this.#lateMessages >= 0
  }

  markReady(stream: Stream<Control>): void {
    if (stream.ready || !hasToSend(stream)) return
    stream.ready = true
    this.#ring.push(stream)
  }

  nextReady(): Stream<Control> | undefined {
    for (;;) {
      const stream = this.#ring.peek()
      if (!stream) return undefined
      if (this.#streams.has(stream.id) && hasToSend(stream)) return stream
      this.#ring.shift()
      stream.ready = false
    }
  }

  rotate(): void {
    const stream = this.#ring.shift()
    if (!stream) return
    stream.ready = false
    if (this.#streams.has(stream.id)) this.markReady(stream)
  }

  waitingBytes(enoughBytes: number): number {
    let bytes = 0
    for (let i = 0; i < this.#ring.length && bytes < enoughBytes; i++) {
      const stream = this.#ring.at(i)
      if (!stream) break
      bytes += MESSAGE_GUESS_BYTES * (1 + stream.controls.length)
      bytes += Math.max(0, stream.send.sendableBytes)
    }
    return bytes
  }

  all(): Iterable<Stream<Control>> {
    return this.#streams.values()
  }
}

// Local limits (tunable).
/** CONNECTED, DONE, RESET and some WINDOWs can cross the end of a stream. */
const LATE_MESSAGES = 8
/** A receiver raises its window at most once in 128 KiB; half of that is generous. */
const LATE_WINDOW_EVERY_BYTES = 64 * 1024
/** What a small message takes in a cell, about; a host name of full length takes more and the packer copes. */
const MESSAGE_GUESS_BYTES = 32
