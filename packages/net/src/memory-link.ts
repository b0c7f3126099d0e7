/**
 * A link without a socket: two ends in one process, each with the same driver and machine as over TLS. For the in-process network and
 * for tests of what stands above a link. Cells arrive in a later turn of the event loop, as they would from a socket.
 * @module
 */
import type { LinkPeer } from '@byway/protocol/link'
import { createLink, type NetLink } from './link-driver.ts'
import { type LinkRuntime, systemRuntime } from './runtime.ts'
import type { CellTransport, TransportSink } from './transport.ts'

/** Who the two ends are to each other. */
export type MemoryLinkOptions = {
  /** What the listener knows of the dialler; a client makes this a padded client link. @default a client */
  readonly dialler?: LinkPeer | undefined
  readonly listenerNodeId: Uint8Array
  readonly runtime?: LinkRuntime | undefined
}

/** Makes both ends of a link. Neither moves before its handler is set. */
export function createMemoryLinkPair(options: MemoryLinkOptions): {
  readonly dialler: NetLink
  readonly listener: NetLink
} {
  const runtime = options.runtime ?? systemRuntime
  const dialler: LinkPeer = options.dialler ?? { role: 'client' }
  const isClientLink = dialler.role === 'client'
  const [near, far] = createMemoryTransportPair()
  return {
    dialler: createLink(near, {
      peer: { role: 'node', nodeId: options.listenerNodeId },
      isDialler: true,
      isClientLink,
      runtime,
    }),
    listener: createLink(far, { peer: dialler, isDialler: false, isClientLink, runtime }),
  }
}

/** Two transports that carry cells to each other. */
export function createMemoryTransportPair(): readonly [CellTransport, CellTransport] {
  const near = new MemoryTransport()
  const far = new MemoryTransport()
  near.connect(far)
  far.connect(near)
  return [near, far]
}

class MemoryTransport implements CellTransport {
  pendingBytes = 0
  #other: MemoryTransport | undefined
  #sink: TransportSink | undefined
  #isOver = false
  /** Cells from the other side; what a socket would hold in the kernel. Bounded by link credit. */
  #arrived: Uint8Array[] = []
  #hasEnd = false
  #isScheduled = false

  connect(other: MemoryTransport): void {
    this.#other = other
  }

  start(sink: TransportSink): void {
    this.#sink = sink
    this.#schedule()
  }

  write(cell: Uint8Array): void {
    if (this.#isOver) return
    this.pendingBytes += cell.length
    this.#other?.arrive(cell)
  }

  flush(): void {}

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#other?.arriveEnd()
  }

  arrive(cell: Uint8Array): void {
    this.#arrived.push(cell)
    this.#schedule()
  }

  arriveEnd(): void {
    this.#hasEnd = true
    this.#schedule()
  }

  /** A cell left this side and reached the other. */
  leave(bytes: number): void {
    this.pendingBytes -= bytes
    if (!this.#isOver) this.#sink?.onWritten()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#sink === undefined) return
    this.#isScheduled = true
    setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    this.#isScheduled = false
    const cells = this.#arrived
    this.#arrived = []
    for (const cell of cells) {
      if (!this.#isOver) this.#sink?.onCell(cell)
      this.#other?.leave(cell.length)
    }
    if (cells.length > 0 && !this.#isOver) this.#sink?.onBurstEnd()
    if (this.#hasEnd && !this.#isOver && this.#arrived.length === 0) {
      this.#isOver = true
      this.#sink?.onGone('remote')
    }
  }
}
