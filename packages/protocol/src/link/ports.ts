/**
 * What a link's driver (`@byway/net`) and its user (client and node engines) see of the link machine.
 * The driver moves whole cells between the machine and a socket and looks at the clock; the machine decides what goes next.
 * @module
 */
import type { LinkMessage } from '@byway/protocol/wire'
import type { OnPingAnswer } from './ping-book.ts'
import type { CellQueue } from './scheduler.ts'

/** Why a link ended. Logged and counted; never with an address. */
export type LinkCloseReason = 'protocol' | 'dead' | 'remote' | 'local' | 'draining' | 'limit' | 'io'

/** Who is on the other side. A client proves nothing and has no node id. */
export type LinkPeer =
  | { readonly role: 'client' }
  | { readonly role: 'node'; readonly nodeId: Uint8Array }

/** What the user of a link is told. Handlers must not throw. */
export interface LinkHandler {
  /**
   * A circuit's cell (CREATE, CREATED, DATA, DESTROY or LOCAL, in a class it may have). **The bytes become the handler's**: it may
   * stamp and forward them as they are. A link that has just closed delivers nothing more.
   */
  onCell(circuitId: number, cell: Uint8Array, nowMs: number): void
  /** NETINFO, a directory message or DRAIN; PING, PONG and padding stay inside. */
  onMessage(message: LinkMessage, nowMs: number): void
  /** Called once; every queue is gone by then. */
  onClose(reason: LinkCloseReason): void
}

/** One side of one link, without its socket. */
export interface LinkMachine {
  readonly isClosed: boolean
  /** Cell bytes that wait for credit or for the socket, and the bytes of directory messages that are no cells yet. */
  readonly waitingBytes: number
  /** Bytes that it holds besides the circuits' queues: link messages, directory messages, last cells of circuits that are gone. */
  readonly ownBytes: number
  /** Bytes per millisecond and round trip as the reports show them; 0 before the first. */
  readonly ratePerMs: number
  readonly rttMs: number
  readonly queues: Iterable<CellQueue>
  /** Opens a circuit's queue on this link. */
  openQueue(circuitId: number): CellQueue
  /** Forgets a circuit's queue with what waits in it; a last cell (DESTROY), if given, still goes out in its turn. */
  closeQueue(queue: CellQueue, lastCell: Uint8Array | undefined, nowMs: number): void
  /** Queues a cell; the machine stamps circuit id and readBytes when the cell leaves. */
  push(queue: CellQueue, cell: Uint8Array, nowMs: number): void
  /**
   * Queues a link message ahead of the circuits' cells. Directory messages wait their turn like a circuit, and are made into cells
   * only then: their descriptors must not change any more.
   */
  send(message: LinkMessage, nowMs: number): void
  /** Asks the peer for a PONG and tells how long it took, our own waiting cells included. */
  ping(nowMs: number, onAnswer: OnPingAnswer): void
  /** An id for a circuit that this side creates: unused, with the top bit of SPEC §4.1. */
  allocateCircuitId(): number

  // for the driver
  /** Takes one whole cell as read from the socket. */
  onCell(cell: Uint8Array, nowMs: number): void
  /** The next cell to write, or `undefined` when nothing may go now. The bytes become the driver's. */
  next(nowMs: number): Uint8Array | undefined
  /** Timers: padding, PING, death, late reports. `lateMs` is how late the event loop runs. */
  onTick(nowMs: number, lateMs: number): void
  /** When {@link LinkMachine.onTick} wants to be called next at the latest. */
  readonly wakeAtMs: number
  close(reason: LinkCloseReason): void
}

/** What a driver adds: a link that moves by itself. */
export interface Link {
  readonly peer: LinkPeer
  readonly isClosed: boolean
  readonly waitingBytes: number
  /** Bytes that it holds besides the circuits' queues, those that its socket has not taken among them: for the memory accountant. */
  readonly ownBytes: number
  /** Bytes that left this process; while they stand still, what is held grows older. */
  readonly leftBytes: number
  readonly ratePerMs: number
  readonly rttMs: number
  readonly queues: Iterable<CellQueue>
  /** Set by the user of the link before it returns to the event loop; cells that came earlier are held for it. */
  handler: LinkHandler
  openQueue(circuitId: number): CellQueue
  closeQueue(queue: CellQueue, lastCell?: Uint8Array): void
  /** Queues a cell and makes sure that the socket is served before the event loop sleeps. */
  push(queue: CellQueue, cell: Uint8Array): void
  send(message: LinkMessage): void
  /**
   * Measures the link: resolves with a PING's round trip in milliseconds, or `undefined` when the link closed first. A silent
   * peer closes it (SPEC §4.5), so this waits no longer than that.
   */
  ping(): Promise<number | undefined>
  allocateCircuitId(): number
  close(reason: LinkCloseReason): void
}
