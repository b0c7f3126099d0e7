/**
 * One stream of a tunnel as a Node Duplex (the proxy's `ByteStream`): backpressure both ways, half-close, and a clean end only when the exit said DONE
 * (THREAT-MODEL T20).
 * @module
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { RESET_REASON } from '@byway/protocol/wire'
import type { ResetReason } from '@byway/protocol/wire'
import type { ByteStream, ConnectInfo } from '../proxy/dialer.ts'
import { createAppWriter } from './app-writer.ts'
import type { AppWriter } from './app-writer.ts'
import { resetError } from './errors.ts'

/** What a stream needs of its tunnel. */
export interface StreamPort {
  /** False asks to wait for `onDrained`. An owned chunk's whole buffer becomes the tunnel's. */
  write(stream: number, chunk: Uint8Array, isOwned?: boolean): boolean
  end(stream: number): void
  reset(stream: number, reason: ResetReason): void
  consumed(stream: number, bytes: number): void
  /** The stream is gone from the application's side. */
  release(stream: number): void
}

/** A stream that its tunnel feeds. */
export class TunnelStream extends Duplex implements ByteStream {
  readonly connected: Promise<ConnectInfo>
  readonly #id: number
  readonly #port: StreamPort
  readonly #settle: { resolve: (info: ConnectInfo) => void; reject: (error: Error) => void }
  #onDrained: (() => void) | undefined
  #writer: AppWriter | undefined
  #unreadBytes = 0
  #isOver = false

  constructor(id: number, port: StreamPort) {
    super({ allowHalfOpen: true, highWaterMark: HIGH_WATER_BYTES })
    this.#id = id
    this.#port = port
    const { promise, resolve, reject } = Promise.withResolvers<ConnectInfo>()
    this.connected = promise
    this.#settle = { resolve, reject }
    // Nobody has to look at `connected`; the stream's own error says the same.
    promise.catch(() => {})
  }

  /** The exit has connected. */
  onConnected(family: 4 | 6): void {
    this.#settle.resolve({ family })
  }

  onData(bytes: Uint8Array): void {
    if (this.#writer) this.#writer.write(bytes)
    else if (this.push(bytes)) this.#port.consumed(this.#id, bytes.length)
    else this.#unreadBytes += bytes.length
  }

  give(chunk: Uint8Array): boolean {
    // What was written before goes first.
    if (this.writableLength > 0 || !this.writable) return this.write(chunk)
    const isOwned = chunk.byteLength === chunk.buffer.byteLength
    if (this.#port.write(this.#id, chunk, isOwned)) return true
    this.#onDrained = () => this.emit('drain')
    return false
  }

  pourInto(socket: Socket): void {
    for (let rest: unknown = this.read(); rest !== null; rest = this.read())
      socket.write(rest as Uint8Array)
    this._read()
    this.#writer = createAppWriter(socket, (bytes) => this.#port.consumed(this.#id, bytes))
    this.resume()
  }

  /** DONE: the only clean end. */
  onEnd(): void {
    this.push(null)
  }

  onReset(reason: ResetReason): void {
    this.fail(resetError(reason))
  }

  /** Ends the stream with an error; the tunnel knows already. */
  fail(error: Error): void {
    this.#isOver = true
    this.#settle.reject(error)
    this.destroy(error)
  }

  onDrained(): void {
    const resume = this.#onDrained
    this.#onDrained = undefined
    resume?.()
  }

  override _read(): void {
    const bytes = this.#unreadBytes
    if (bytes === 0) return
    this.#unreadBytes = 0
    this.#port.consumed(this.#id, bytes)
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: () => void): void {
    if (this.#port.write(this.#id, chunk)) callback()
    else this.#onDrained = callback
  }

  override _final(callback: () => void): void {
    this.#port.end(this.#id)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const isClean = this.readableEnded && this.writableFinished
    if (!this.#isOver && !isClean) this.#port.reset(this.#id, RESET_REASON.CONNECTION_RESET)
    this.#isOver = true
    this.#settle.reject(error ?? resetError(RESET_REASON.CONNECTION_RESET))
    this.#port.release(this.#id)
    callback(error)
  }
}

/** Local limit (tunable): what an application may leave unread before the window stops moving; the window itself is 256 KiB and up. */
const HIGH_WATER_BYTES = 256 * 1024
