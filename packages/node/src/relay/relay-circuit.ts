/**
 * One circuit at one hop (SPEC §5, §6): cells from the client's side are opened and go on, cells from the next hop are sealed and go
 * back. Counts what passes. Never learns more than its two neighbours; what a circuit that ends here carries is the exit role's.
 * @module
 */
import { createHopLayers, destroyCell } from '@byway/protocol/circuit'
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
  MessageListWriter,
  readKind,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import type { Meter, TerminalCircuit, TerminalHandler, TerminalService } from './ports.ts'

/** Where a circuit meets a link. */
export type Joint = { readonly link: Link; readonly circuitId: number; readonly queue: CellQueue }

/** A circuit at this hop. `previous` is the client's side. */
export interface RelayCircuit extends Meter {
  readonly isClosed: boolean
  readonly previous: Joint
  readonly next: Joint | undefined
  /** Takes the joint to the next hop while the circuit is being built. */
  attachNext(next: Joint): void
  /** The handshake is done: cells flow from now on. Returns a reason when the circuit cannot be served. */
  open(circuit: HopCircuit, nowMs: number): CloseReason | undefined
  onForward(cell: Uint8Array, nowMs: number): void
  onBackward(cell: Uint8Array): void
  /** Tells the client that this relay stops in so many seconds; an exit says it in its tunnels. */
  announceDrain(seconds: number): void
  /** Ends the circuit: DESTROY to the sides that are still there, queues dropped. Idempotent. */
  close(reason: CloseReason, from?: 'previous' | 'next'): void
}

export type RelayCircuitDeps = {
  readonly provider: CryptoProvider
  readonly terminals: TerminalService
  /** Called once when the circuit is gone, to forget it in the tables of its links. */
  readonly onClosed: (circuit: RelayCircuit) => void
}

/** Creates a circuit whose CREATE has just come in on `previous`. */
export function createRelayCircuit(previous: Joint, deps: RelayCircuitDeps): RelayCircuit {
  return new Circuit(previous, deps)
}

class Circuit implements RelayCircuit {
  isClosed = false
  forwardBytes = 0
  backwardBytes = 0
  readonly previous: Joint
  next: Joint | undefined
  readonly #deps: RelayCircuitDeps
  #layers: HopLayers | undefined
  #terminal: TerminalHandler | undefined

  constructor(previous: Joint, deps: RelayCircuitDeps) {
    this.previous = previous
    this.#deps = deps
  }

  attachNext(next: Joint): void {
    this.next = next
  }

  open(circuit: HopCircuit, nowMs: number): CloseReason | undefined {
    if (!circuit.isLast) {
      this.#layers = createHopLayers({ provider: this.#deps.provider, ...circuit })
      return undefined
    }
    const terminal = this.#deps.terminals.accept(this.#asTerminal(circuit), nowMs)
    if (typeof terminal === 'number') return terminal
    this.#terminal = terminal
    return undefined
  }

  onForward(cell: Uint8Array, nowMs: number): void {
    this.forwardBytes += cell.length
    if (this.#terminal) {
      this.#terminal.onCell(cell, nowMs)
      return
    }
    const { next } = this
    // A list for a relay that ends no tunnel has nothing it could mean yet: a cell must pass on.
    if (!this.#layers || !next || this.#layers.openForward(cell) !== 'pass') {
      this.close(CLOSE_REASON.PROTOCOL)
      return
    }
    next.link.push(next.queue, cell)
  }

  onBackward(cell: Uint8Array): void {
    if (!this.#layers || commandOf(readKind(cell)) !== COMMAND.DATA) {
      this.close(CLOSE_REASON.PROTOCOL)
      return
    }
    this.backwardBytes += cell.length
    this.#layers.sealBackward(cell)
    this.previous.link.push(this.previous.queue, cell)
  }

  announceDrain(seconds: number): void {
    const layers = this.#layers
    if (!layers) return
    const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
    const listEnd = CELL_HEADER_BYTES + layers.listBytes(SIZE_CLASS.SMALL)
    const list = new MessageListWriter().reset(cell.subarray(CELL_HEADER_BYTES, listEnd))
    appendHopMessage(list, { type: HOP_MESSAGE.DRAIN, seconds })
    layers.sealOwn(cell, SIZE_CLASS.SMALL)
    this.backwardBytes += cell.length
    this.previous.link.push(this.previous.queue, cell)
  }

  close(reason: CloseReason, from?: 'previous' | 'next'): void {
    if (this.isClosed) return
    this.isClosed = true
    const terminal = this.#terminal
    this.#terminal = undefined
    leave(this.previous, from === 'previous' ? undefined : reason)
    if (this.next) leave(this.next, from === 'next' ? undefined : reason)
    this.#deps.onClosed(this)
    terminal?.onClose(reason)
  }

  #asTerminal(circuit: HopCircuit): TerminalCircuit {
    const { link, queue } = this.previous
    return {
      circuit,
      link,
      queue,
      push: (cell) => {
        this.backwardBytes += cell.length
        link.push(queue, cell)
      },
      destroy: (reason) => {
        this.#terminal = undefined
        this.close(reason)
      },
    }
  }
}

function leave({ link, queue }: Joint, reason: CloseReason | undefined): void {
  link.closeQueue(queue, reason === undefined ? undefined : destroyCell(reason))
}
