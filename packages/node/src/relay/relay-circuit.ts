/**
 * One circuit at one hop (SPEC §5, §6): cells from the client's side are opened and go on, cells from the next hop are sealed and go
 * back. Counts what passes; where it is paid for, what is not paid waits at a toll (SPEC §15). Never learns more than its two neighbours; what a circuit that ends here carries is the exit role's.
 * @module
 */
import { createHopLayers, destroyCell, takePayList } from '@byway/protocol/circuit'
import type { HopCircuit, HopLayers } from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { CellQueue, Link } from '@byway/protocol/link'
import {
  appendHopMessage,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  CLOSE_REASON,
  COMMAND,
  commandOf,
  HOP_MESSAGE,
  hopMessageBytes,
  MESSAGE_HEADER_BYTES,
  MessageListWriter,
  readKind,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { CloseReason, HopMessage, SizeClass } from '@byway/protocol/wire'
import type { CellToll, TollUser } from '../money/held-cells.ts'
import type {
  Meter,
  PaidCircuit,
  RelayMoney,
  TerminalCircuit,
  TerminalHandler,
  TerminalService,
} from './ports.ts'

/** Where a circuit meets a link. */
export type Joint = { readonly link: Link; readonly circuitId: number; readonly queue: CellQueue }

/** A circuit at this hop. `previous` is the client's side. */
export interface RelayCircuit extends Meter {
  readonly isClosed: boolean
  readonly previous: Joint
  readonly next: Joint | undefined
  /** Bytes of cells that wait for pay, and since when; Infinity when none does. */
  readonly unpaidBytes: number
  readonly unpaidSinceMs: number
  /** Takes the joint to the next hop while the circuit is being built. */
  attachNext(next: Joint): void
  /** The handshake is done: cells flow from now on. Returns a reason when the circuit cannot be served. */
  open(circuit: HopCircuit, nowMs: number): CloseReason | undefined
  onForward(cell: Uint8Array, nowMs: number): void
  onBackward(cell: Uint8Array, nowMs: number): void
  /** Tells the client that this relay stops in so many seconds; an exit says it in its tunnels. */
  announceDrain(seconds: number): void
  /** Ends the circuit: DESTROY to the sides that are still there, queues dropped. Idempotent. */
  close(reason: CloseReason, from?: 'previous' | 'next'): void
}

export type RelayCircuitDeps = {
  readonly provider: CryptoProvider
  readonly terminals: TerminalService
  /** Monotonic. */
  readonly nowMs: () => number
  /** Absent in an unpaid network. */
  readonly money?: RelayMoney | undefined
  /** The account of the client's link, at an entry that is paid. */
  readonly linkToll?: CellToll | undefined
  /** Called once when the circuit is gone, to forget it in the tables of its links. */
  readonly onClosed: (circuit: RelayCircuit) => void
}

/** Creates a circuit whose CREATE has just come in on `previous`. */
export function createRelayCircuit(previous: Joint, deps: RelayCircuitDeps): RelayCircuit {
  return new Circuit(previous, deps)
}

class Circuit implements RelayCircuit, TollUser {
  isClosed = false
  forwardBytes = 0
  backwardBytes = 0
  unpaidBytes = 0
  unpaidSinceMs = Number.POSITIVE_INFINITY
  readonly previous: Joint
  next: Joint | undefined
  readonly #deps: RelayCircuitDeps
  #layers: HopLayers | undefined
  #terminal: TerminalHandler | undefined
  /** Where cells wait for pay; `undefined` where nothing is charged, and at a last hop, whose tunnel has its own. */
  #toll: CellToll | undefined
  #paid: PaidCircuit | undefined

  constructor(previous: Joint, deps: RelayCircuitDeps) {
    this.previous = previous
    this.#deps = deps
    this.#toll = deps.linkToll
  }

  attachNext(next: Joint): void {
    this.next = next
  }

  open(circuit: HopCircuit, nowMs: number): CloseReason | undefined {
    if (!circuit.isLast) {
      this.#layers = createHopLayers({ provider: this.#deps.provider, ...circuit })
      this.#openPaid()
      return undefined
    }
    const terminal = this.#deps.terminals.accept(this.#asTerminal(circuit), nowMs)
    if (typeof terminal === 'number') return terminal
    this.#terminal = terminal
    return undefined
  }

  onForward(cell: Uint8Array, nowMs: number): void {
    this.forwardBytes += cell.length
    const { next } = this
    const toll = this.#toll
    if (this.#terminal) {
      if (toll?.pass(cell.length) === false) this.#hold(toll, cell, true, nowMs)
      else this.#terminal.onCell(cell, nowMs)
      return
    }
    const opened = this.#layers?.openForward(cell)
    if (!next || opened === undefined) this.close(CLOSE_REASON.PROTOCOL)
    else if (opened !== 'pass') this.#onList(opened, cell.length)
    else if (toll?.pass(cell.length) === false) this.#hold(toll, cell, true, nowMs)
    else next.link.push(next.queue, cell)
  }

  onBackward(cell: Uint8Array, nowMs: number): void {
    if (!this.#layers || commandOf(readKind(cell)) !== COMMAND.DATA) {
      this.close(CLOSE_REASON.PROTOCOL)
      return
    }
    const toll = this.#toll
    if (toll?.pass(cell.length) === false) this.#hold(toll, cell, false, nowMs)
    else this.#passBack(cell)
  }

  release(cell: Uint8Array, isForward: boolean): void {
    this.unpaidBytes -= cell.length
    if (this.unpaidBytes === 0) this.unpaidSinceMs = Number.POSITIVE_INFINITY
    const { next } = this
    if (!isForward) this.#passBack(cell)
    else if (this.#terminal) this.#terminal.onCell(cell, this.#deps.nowMs())
    else if (next) next.link.push(next.queue, cell)
  }

  giveUp(reason: CloseReason): void {
    this.close(reason)
  }

  announceDrain(seconds: number): void {
    this.#sendOwn({ type: HOP_MESSAGE.DRAIN, seconds })
  }

  close(reason: CloseReason, from?: 'previous' | 'next'): void {
    if (this.isClosed) return
    this.isClosed = true
    const terminal = this.#terminal
    this.#terminal = undefined
    // SPEC §15.3: what is dropped with its circuit does not count.
    this.#toll?.forget(this)
    // CREATED may wait there too, which nobody counted: only what went in after it is given back.
    this.#toll?.refund(Math.min(this.previous.queue.bytes, this.backwardBytes))
    this.#toll = undefined
    this.#paid?.close()
    leave(this.previous, from === 'previous' ? undefined : reason)
    if (this.next) leave(this.next, from === 'next' ? undefined : reason)
    this.#deps.onClosed(this)
    terminal?.onClose(reason)
  }

  #openPaid(): void {
    if (this.#toll) return
    this.#paid = this.#deps.money?.openCircuit({
      send: (pay) => this.#sendOwn({ type: HOP_MESSAGE.PAY, pay }),
      end: (reason) => this.close(reason),
    })
    this.#toll = this.#paid?.toll
  }

  #hold(toll: CellToll, cell: Uint8Array, isForward: boolean, nowMs: number): void {
    if (this.unpaidBytes === 0) this.unpaidSinceMs = nowMs
    this.unpaidBytes += cell.length
    toll.hold(this, cell, isForward)
  }

  #passBack(cell: Uint8Array): void {
    this.backwardBytes += cell.length
    this.#layers?.sealBackward(cell)
    this.previous.link.push(this.previous.queue, cell)
  }

  /** A list for a relay that ends no tunnel: payment, where it is paid, or nothing that it could mean. */
  #onList(list: Uint8Array | 'violation', cellBytes: number): void {
    const paid = this.#paid
    this.#toll?.count(cellBytes)
    const isGood =
      typeof list !== 'string' && paid !== undefined && takePayList(list, (pay) => paid.onPay(pay))
    if (!isGood) this.close(CLOSE_REASON.PROTOCOL)
    else if (paid.toll.isOverrun) this.close(CLOSE_REASON.UNPAID)
  }

  #sendOwn(message: HopMessage): void {
    const layers = this.#layers
    if (!layers || this.isClosed) return
    const size = classFor(layers, hopMessageBytes(message) + MESSAGE_HEADER_BYTES)
    const cell = new Uint8Array(cellBytesOfClass(size))
    const listEnd = CELL_HEADER_BYTES + layers.listBytes(size)
    const list = new MessageListWriter().reset(cell.subarray(CELL_HEADER_BYTES, listEnd))
    appendHopMessage(list, message)
    layers.sealOwn(cell, size)
    this.backwardBytes += cell.length
    this.#toll?.count(cell.length)
    this.previous.link.push(this.previous.queue, cell)
  }

  #asTerminal(circuit: HopCircuit): TerminalCircuit {
    const { link, queue } = this.previous
    return {
      circuit,
      link,
      queue,
      carriedBytes: () => this.forwardBytes + this.backwardBytes,
      push: (cell) => {
        const toll = this.#toll
        if (toll?.pass(cell.length) === false) this.#hold(toll, cell, false, this.#deps.nowMs())
        else this.#passBack(cell)
      },
      destroy: (reason) => {
        this.#terminal = undefined
        this.close(reason)
      },
    }
  }
}

function classFor(layers: HopLayers, bytes: number): SizeClass {
  const sizes = [SIZE_CLASS.SMALL, SIZE_CLASS.MEDIUM] as const
  return sizes.find((size) => bytes <= layers.listBytes(size)) ?? SIZE_CLASS.LARGE
}

function leave({ link, queue }: Joint, reason: CloseReason | undefined): void {
  link.closeQueue(queue, reason === undefined ? undefined : destroyCell(reason))
}
