/**
 * Bytes of one TLS socket, to whoever reads at the moment: first the greeting, then the link. Two ways in, one way out: an accepted
 * socket gives 'data' events with a fresh chunk each; a dialled one lets Node write into buffers of ours (`onread`), which spares
 * an allocation per record (ADR-0003). It keeps nothing but what arrives while nobody reads.
 * @module
 */
import type { OnReadOpts } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { MAX_CELL_BYTES } from '@byway/protocol/wire'

/** Takes a chunk; returns true when it kept the chunk's memory. `isOwned` says whether it may. */
export type ChunkReader = (chunk: Uint8Array, isOwned: boolean) => boolean

/** Hands the socket's bytes to one reader at a time. */
export interface SocketFeed {
  /** Sets who reads from now on; what arrived in between comes first. */
  setReader(reader: ChunkReader): void
  /** Pauses; the rest of what was read goes to the next reader. */
  pause(rest: Uint8Array): void
}

/** Feeds from the 'data' events of a socket that somebody else made. */
export function feedFromData(socket: TLSSocket, head: Uint8Array): SocketFeed {
  const feed = new Feed((isReading) => {
    if (isReading) socket.resume()
    else socket.pause()
  })
  socket.on('data', (chunk: Buffer) => feed.take(plainView(chunk), true))
  if (head.length > 0) feed.take(Uint8Array.from(head), true)
  return feed
}

/** The `onread` option for `tls.connect`, and the feed that it fills once `attach` has told it the socket. */
export function feedFromOnRead(): {
  readonly onread: OnReadOpts
  readonly feed: SocketFeed
  readonly attach: (socket: TLSSocket) => void
} {
  let socket: TLSSocket | undefined
  let buffer: Uint8Array | undefined
  const feed = new Feed((isReading) => {
    if (isReading) socket?.resume()
    else socket?.pause()
  })
  const onread: OnReadOpts = {
    // Not from Buffer's pool: a cell's memory is released on its own.
    buffer: () => (buffer ??= Buffer.allocUnsafeSlow(MAX_CELL_BYTES)),
    callback: (bytes, filled) => {
      const isWhole = bytes === filled.length
      const chunk = plainView(filled, bytes)
      if (feed.take(chunk, isWhole)) buffer = undefined
      return true
    },
  }
  return { onread, feed, attach: (made) => (socket = made) }
}

class Feed implements SocketFeed {
  readonly #setReading: (isReading: boolean) => void
  #reader: ChunkReader | undefined
  #held: Uint8Array[] = []

  constructor(setReading: (isReading: boolean) => void) {
    this.#setReading = setReading
  }

  setReader(reader: ChunkReader): void {
    this.#reader = reader
    const held = this.#held
    this.#held = []
    for (const chunk of held) this.take(chunk, true)
    this.#setReading(this.#reader !== undefined)
  }

  pause(rest: Uint8Array): void {
    this.#reader = undefined
    if (rest.length > 0) this.#held.unshift(rest)
    this.#setReading(false)
  }

  take(chunk: Uint8Array, isOwned: boolean): boolean {
    if (this.#reader) return this.#reader(chunk, isOwned)
    // Bounded: the socket is paused, so that at most what one turn of the event loop had read comes here.
    this.#held.push(isOwned ? chunk : chunk.slice())
    return isOwned
  }
}

/** A Uint8Array on the same memory: Buffer's `slice` does not copy, which nobody above expects. */
function plainView(bytes: Uint8Array, length: number = bytes.length): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length)
}
