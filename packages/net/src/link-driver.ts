/**
 * A link that moves by itself: the link machine of `@byway/protocol/link` on a transport, a clock and a timer. What goes next, and when
 * a peer is dead, the machine decides; this file only serves it in time (ADR-0003).
 * @module
 */
import { createLinkMachine } from '@byway/protocol/link'
import type {
  CellQueue,
  Link,
  LinkCloseReason,
  LinkHandler,
  LinkMachine,
  LinkPeer,
} from '@byway/protocol/link'
import type { LinkMessage } from '@byway/protocol/wire'
import type { LinkRuntime, LinkTimer } from './runtime.ts'
import type { CellTransport, TransportSink } from './transport.ts'

/** What passed on a link. Bytes are those of cells. */
export type LinkStats = {
  readonly cellsRead: number
  readonly bytesRead: number
  readonly cellsWritten: number
  readonly bytesWritten: number
  /** Written and still in this process. */
  readonly pendingBytes: number
}

/** A link over a transport. */
export interface NetLink extends Link {
  readonly stats: LinkStats
}

export type LinkDriverOptions = {
  readonly peer: LinkPeer
  readonly isDialler: boolean
  /** True between a client and its entry (SPEC §4.5). */
  readonly isClientLink: boolean
  readonly runtime: LinkRuntime
}

/** Makes a link of a transport whose greetings are done. Reads nothing before the handler is set. */
export function createLink(transport: CellTransport, options: LinkDriverOptions): NetLink {
  return new Driver(transport, options)
}

class Driver implements NetLink, TransportSink {
  readonly peer: LinkPeer
  readonly #transport: CellTransport
  readonly #runtime: LinkRuntime
  readonly #machine: LinkMachine
  #handler: LinkHandler | undefined
  #closeReason: LinkCloseReason | undefined
  #isFlushScheduled = false
  #isBlocked = false
  #timer: LinkTimer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #cellsRead = 0
  #bytesRead = 0
  #cellsWritten = 0
  #bytesWritten = 0

  constructor(transport: CellTransport, options: LinkDriverOptions) {
    this.peer = options.peer
    this.#transport = transport
    this.#runtime = options.runtime
    const inner: LinkHandler = {
      onCell: (circuitId, cell, nowMs) => this.#handler?.onCell(circuitId, cell, nowMs),
      onMessage: (message, nowMs) => this.#handler?.onMessage(message, nowMs),
      onClose: (reason) => this.#finish(reason),
    }
    this.#machine = createLinkMachine(options.runtime.nowMs(), {
      isDialler: options.isDialler,
      isClientLink: options.isClientLink,
      random: () => options.runtime.random(),
      handler: () => inner,
    })
  }

  get isClosed(): boolean {
    return this.#machine.isClosed
  }

  get waitingBytes(): number {
    return this.#machine.waitingBytes
  }

  get ownBytes(): number {
    return this.#machine.ownBytes + this.#transport.pendingBytes
  }

  get leftBytes(): number {
    return this.#bytesWritten - this.#transport.pendingBytes
  }

  get ratePerMs(): number {
    return this.#machine.ratePerMs
  }

  get rttMs(): number {
    return this.#machine.rttMs
  }

  get queues(): Iterable<CellQueue> {
    return this.#machine.queues
  }

  get stats(): LinkStats {
    return {
      cellsRead: this.#cellsRead,
      bytesRead: this.#bytesRead,
      cellsWritten: this.#cellsWritten,
      bytesWritten: this.#bytesWritten,
      pendingBytes: this.#transport.pendingBytes,
    }
  }

  get handler(): LinkHandler {
    return this.#handler ?? NO_HANDLER
  }

  set handler(handler: LinkHandler) {
    const isFirst = this.#handler === undefined
    this.#handler = handler
    // Never from inside the setter: its caller has more to set up.
    if (isFirst) queueMicrotask(() => this.#begin())
  }

  openQueue(circuitId: number): CellQueue {
    return this.#machine.openQueue(circuitId)
  }

  closeQueue(queue: CellQueue, lastCell?: Uint8Array): void {
    this.#machine.closeQueue(queue, lastCell, this.#runtime.nowMs())
    if (lastCell) this.#scheduleFlush()
  }

  push(queue: CellQueue, cell: Uint8Array): void {
    this.#machine.push(queue, cell, this.#runtime.nowMs())
    this.#scheduleFlush()
  }

  send(message: LinkMessage): void {
    this.#machine.send(message, this.#runtime.nowMs())
    this.#scheduleFlush()
  }

  ping(): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.#machine.ping(this.#runtime.nowMs(), resolve)
      this.#scheduleFlush()
    })
  }

  allocateCircuitId(): number {
    return this.#machine.allocateCircuitId()
  }

  close(reason: LinkCloseReason): void {
    // What was pushed in this turn still goes, a DRAIN or a DESTROY for instance.
    this.#flush()
    this.#machine.close(reason)
  }

  onCell(cell: Uint8Array): boolean {
    this.#cellsRead++
    this.#bytesRead += cell.length
    this.#machine.onCell(cell, this.#runtime.nowMs())
    return !this.#machine.isClosed
  }

  onBurstEnd(): void {
    this.#scheduleFlush()
  }

  onWritten(): void {
    if (this.#isBlocked && this.#transport.pendingBytes <= LOW_WATER_BYTES) this.#flush()
  }

  onGone(reason: 'remote' | 'io'): void {
    this.#machine.close(reason)
  }

  #begin(): void {
    if (this.#closeReason === undefined) {
      this.#transport.start(this)
      this.#flush()
    } else {
      this.#handler?.onClose(this.#closeReason)
    }
  }

  /** Once for all cells of a turn: plain version: a microtask after each. Alone 17.8 against 20.5 ms/MB for a path of three hops, on a loaded machine. */
  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#isBlocked) return
    this.#isFlushScheduled = true
    this.#runtime.afterReads(this.#runScheduledFlush)
  }

  readonly #runScheduledFlush = (): void => {
    this.#isFlushScheduled = false
    this.#flush()
  }

  /** Writes what may go now. Little is handed to the socket at a time: what waits above it can still be reordered. */
  #flush(): void {
    if (this.#machine.isClosed) return
    const nowMs = this.#runtime.nowMs()
    this.#isBlocked = false
    for (;;) {
      if (this.#transport.pendingBytes >= HIGH_WATER_BYTES) {
        this.#isBlocked = true
        break
      }
      const cell = this.#machine.next(nowMs)
      if (!cell) break
      this.#cellsWritten++
      this.#bytesWritten += cell.length
      this.#transport.write(cell)
    }
    this.#transport.flush()
    this.#arm(nowMs)
  }

  #arm(nowMs: number): void {
    if (this.#machine.isClosed) return
    // While nothing can be written, what is due waits for `onWritten`; only the peer's death is looked for.
    const wakeAtMs = this.#isBlocked ? Number.POSITIVE_INFINITY : this.#machine.wakeAtMs
    const atMs = Math.min(wakeAtMs, nowMs + MAX_TICK_MS)
    if (this.#timer && this.#timerAtMs <= atMs) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = this.#runtime.setTimer(this.#onTimer, Math.max(0, atMs - nowMs))
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined
    const nowMs = this.#runtime.nowMs()
    this.#machine.onTick(nowMs, nowMs - this.#timerAtMs)
    this.#flush()
  }

  #finish(reason: LinkCloseReason): void {
    this.#closeReason = reason
    this.#timer?.cancel()
    this.#timer = undefined
    this.#transport.end()
    this.#handler?.onClose(reason)
  }
}

const NO_HANDLER: LinkHandler = { onCell: () => {}, onMessage: () => {}, onClose: () => {} }

// Local limits (tunable).

/** Four large cells. Node joins what waits into one fresh buffer; from 128 KiB on each of those is mapped anew (ADR-0003). */
const HIGH_WATER_BYTES = 64 * 1024
/** Refilled while half is still under way. */
const LOW_WATER_BYTES = 32 * 1024
/** The machine is asked at least this often, so that a stall of 3 s (SPEC §4.5) and our own lateness are seen in time. */
const MAX_TICK_MS = 1000
