/**
 * Cells on a TLS socket (ADR-0003). A large cell is one write and one TLS record, which arrives as one chunk; small cells of one turn
 * share a write. The memory of a written cell is released at once, so that the next cell finds it warm.
 * @module
 */
import type { TLSSocket } from 'node:tls'
import { freeMemory } from '@byway/protocol/base'
import { MAX_CELL_BYTES } from '@byway/protocol/wire'
import { createCellReader } from './cell-reader.ts'
import type { SocketFeed } from './socket-feed.ts'
import type { CellTransport, TransportSink } from './transport.ts'

/** Makes a transport of a socket whose greetings are done; the feed's reader becomes the transport's. */
export function createTlsTransport(socket: TLSSocket, feed: SocketFeed): CellTransport {
  return new TlsTransport(socket, feed)
}

class TlsTransport implements CellTransport {
  readonly #socket: TLSSocket
  readonly #feed: SocketFeed
  #sink: TransportSink | undefined
  #isOver = false
  /** Small cells that wait for {@link flush}. */
  #small: Uint8Array[] = []
  #smallBytes = 0
  /** Written cells in order; each write's callback releases the first. */
  #written: Uint8Array[] = []
  #writtenHead = 0

  constructor(socket: TLSSocket, feed: SocketFeed) {
    this.#socket = socket
    this.#feed = feed
    socket.setNoDelay(true)
    // From here on the link's own PING finds a dead peer.
    socket.setTimeout(0)
    socket.on('error', () => this.#onGone('io'))
    socket.on('end', () => this.#onGone('remote'))
    socket.on('close', () => this.#onGone('remote'))
  }

  get pendingBytes(): number {
    return this.#socket.writableLength + this.#smallBytes
  }

  start(sink: TransportSink): void {
    this.#sink = sink
    if (this.#isOver) return sink.onGone('remote')
    const reader = createCellReader((cell) => !this.#isOver && sink.onCell(cell))
    this.#feed.setReader((chunk, isOwned) => {
      if (this.#isOver) return false
      const isTaken = reader.read(chunk, isOwned)
      sink.onBurstEnd()
      return isTaken
    })
  }

  write(cell: Uint8Array): void {
    if (this.#isOver) return
    if (cell.length === MAX_CELL_BYTES) {
      this.flush()
      this.#writeOut(cell)
      return
    }
    if (this.#smallBytes + cell.length > MAX_CELL_BYTES) this.flush()
    this.#small.push(cell)
    this.#smallBytes += cell.length
  }

  flush(): void {
    const [first] = this.#small
    if (first === undefined) return
    const joined = this.#small.length === 1 ? first : Buffer.concat(this.#small, this.#smallBytes)
    this.#small = []
    this.#smallBytes = 0
    this.#writeOut(joined)
  }

  end(): void {
    if (this.#isOver) return
    this.flush()
    this.#isOver = true
    this.#socket.end()
    // A peer that does not read must not keep the socket: half closed is over after a second.
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS)
    timer.unref()
    this.#socket.once('close', () => clearTimeout(timer))
    // What still comes is thrown away, so that the peer's close is seen.
    this.#feed.setReader(() => false)
  }

  #writeOut(bytes: Uint8Array): void {
    this.#written.push(bytes)
    this.#socket.write(bytes, this.#onWritten)
  }

  readonly #onWritten = (): void => {
    const bytes = this.#written[this.#writtenHead]
    this.#writtenHead++
    if (this.#writtenHead === this.#written.length) {
      this.#written.length = 0
      this.#writtenHead = 0
    }
    if (bytes?.length === MAX_CELL_BYTES) freeMemory(bytes)
    if (!this.#isOver) this.#sink?.onWritten()
  }

  #onGone(reason: 'remote' | 'io'): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#socket.destroy()
    this.#sink?.onGone(reason)
  }
}

/** Local limit (tunable): how long a closing link may take to send what was written. */
const LINGER_MS = 1000
