/**
 * Writes a stream's bytes to its target. Whatever the kernel does not take waits here, few objects however small the pieces; the
 * bytes are reported as taken only then, so that a target which does not read stops the stream's window and nothing else.
 */
import type { Socket } from 'node:net'
import { freeMemory } from '@byway/protocol/base'
import { createPendingBytes } from './pending-bytes.ts'

/** What a writer tells its stream. */
export interface TargetWriterEvents {
  nowMs(): number
  /** The kernel has taken so many bytes. */
  onTaken(bytes: number, nowMs: number): void
  /** So many more (or fewer) bytes wait. */
  onHeld(deltaBytes: number): void
}

/** The way to one target; usable before there is a socket. */
export interface TargetWriter {
  /** When the oldest waiting byte came, or the last time the kernel took some; Infinity when none waits. */
  readonly waitingSinceMs: number
  /** The view's memory becomes the writer's. */
  write(bytes: Uint8Array, nowMs: number): void
  /** No more bytes: the target sees the end after the last one. */
  end(): void
  /** The target is connected. */
  attach(socket: Socket): void
  /** Leaves the rest to the socket, which ends after the last byte; nothing is reported any more. */
  release(): void
  /** Forgets what waits; nothing is written or reported any more. */
  drop(): void
}

/** Creates the writer of a stream whose target is not connected yet. */
export function createTargetWriter(events: TargetWriterEvents): TargetWriter {
  return new Writer(events)
}

class Writer implements TargetWriter {
  waitingSinceMs: number = Number.POSITIVE_INFINITY
  readonly #events: TargetWriterEvents
  readonly #pending = createPendingBytes()
  #socket: Socket | undefined
  /** Bytes in the socket that the kernel has not taken; while there are some, others wait in `#pending`. */
  #inSocketBytes = 0
  #inSocket: readonly Uint8Array[] = []
  #isScheduled = false
  #isEnded = false

  constructor(events: TargetWriterEvents) {
    this.#events = events
  }

  write(bytes: Uint8Array, nowMs: number): void {
    this.#pending.push(bytes)
    this.#hold(bytes.length, nowMs)
    if (!this.#socket || this.#inSocketBytes > 0 || this.#isScheduled) return
    // What one turn of the event loop brings goes in one system call.
    this.#isScheduled = true
    setImmediate(this.#runScheduled)
  }

  end(): void {
    this.#isEnded = true
    if (this.#inSocketBytes + this.#pending.bytes === 0) this.#socket?.end()
  }

  attach(socket: Socket): void {
    this.#socket = socket
    this.#flush(socket)
  }

  release(): void {
    const socket = this.#socket
    if (!socket) return
    this.#inSocketBytes += this.#pending.bytes
    for (const piece of this.#pending.takeAll()) socket.write(piece)
    socket.end()
  }

  drop(): void {
    this.#socket = undefined
    this.#events.onHeld(-(this.#pending.bytes + this.#inSocketBytes))
    this.#pending.clear()
    this.#inSocketBytes = 0
    this.waitingSinceMs = Number.POSITIVE_INFINITY
  }

  readonly #runScheduled = (): void => {
    this.#isScheduled = false
    if (this.#socket && this.#inSocketBytes === 0) this.#flush(this.#socket)
  }

  /** One function for all writes: Node then reports those of a turn together. */
  readonly #onWritten = (): void => {
    const socket = this.#socket
    const bytes = this.#inSocketBytes
    if (!socket || bytes === 0 || socket.writableLength > 0) return
    const nowMs = this.#events.nowMs()
    this.#inSocketBytes = 0
    for (const piece of this.#inSocket) freeMemory(piece)
    this.#inSocket = []
    this.#hold(-bytes, nowMs)
    this.#events.onTaken(bytes, nowMs)
    this.#flush(socket)
  }

  /** Gives the socket what waits, in one system call where it can. */
  #flush(socket: Socket): void {
    const { bytes } = this.#pending
    if (bytes > 0) {
      this.#inSocketBytes = bytes
      socket.cork()
      this.#inSocket = this.#pending.takeAll()
      for (const piece of this.#inSocket) socket.write(piece, this.#onWritten)
      socket.uncork()
    }
    if (this.#isEnded) socket.end()
  }

  #hold(deltaBytes: number, nowMs: number): void {
    if (this.#pending.bytes + this.#inSocketBytes === 0) {
      this.waitingSinceMs = Number.POSITIVE_INFINITY
    } else if (deltaBytes < 0 || this.waitingSinceMs === Number.POSITIVE_INFINITY) {
      this.waitingSinceMs = nowMs
    }
    this.#events.onHeld(deltaBytes)
  }
}
