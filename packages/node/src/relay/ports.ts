/**
 * What the relay needs of the rest of the node, and what the exit role needs of the relay.
 * @module
 */
import type { HopCircuit } from '@byway/protocol/circuit'
import type { CellQueue, Link } from '@byway/protocol/link'
import type { ClientPayMessage, CloseReason, HopPayMessage } from '@byway/protocol/wire'
import type { CellToll } from '../money/held-cells.ts'

/** How the relay reaches the next hop of a circuit. */
export interface NextHops {
  /**
   * Finds a link to a node: one that stands, or a new one to the address in its signed descriptor (SPEC §5.3).
   * Resolves with the close reason to answer when there is none; never rejects.
   */
  linkTo(nodeId: Uint8Array, signal: AbortSignal): Promise<Link | CloseReason>
}

/** A circuit that ends at this node, as the exit role drives it. */
export interface TerminalCircuit {
  readonly circuit: HopCircuit
  readonly link: Link
  /** The circuit's queue towards the client. */
  readonly queue: CellQueue
  /** Bytes of cells that it has carried here so far, both ways. */
  carriedBytes(): number
  /** Counts and queues a sealed cell towards the client. */
  push(cell: Uint8Array): void
  /** Destroys the circuit; `onClose` is not called for it. */
  destroy(reason: CloseReason): void
}

/** What the exit role makes of it. */
export interface TerminalHandler {
  /** A DATA or LOCAL cell; the bytes become the handler's. */
  onCell(cell: Uint8Array, nowMs: number): void
  /** The circuit died by the peer, its link or a limit. */
  onClose(reason: CloseReason): void
}

/** Takes circuits that end here. A relay without the exit role refuses with NOT_EXIT. */
export interface TerminalService {
  accept(terminal: TerminalCircuit, nowMs: number): TerminalHandler | CloseReason
}

/** What payment adds to the relay role (SPEC §15); absent in an unpaid network. */
export interface RelayMoney {
  /** The account of a client's link, for all its circuits. `undefined` where nothing is charged. */
  linkToll(link: Link): CellToll | undefined
  /** A circuit that passes through here, at another hop than its entry. */
  openCircuit(host: PaidCircuitHost): PaidCircuit | undefined
}

/** What a paid circuit needs of its relay. */
export type PaidCircuitHost = {
  /** Sends a list with this message to the client. */
  readonly send: (pay: HopPayMessage) => void
  readonly end: (reason: CloseReason) => void
}

/** Payment for one circuit at a relay. */
export interface PaidCircuit {
  readonly toll: CellToll
  /** Takes a payment message of the client; false when it breaks a rule. */
  onPay(pay: ClientPayMessage): boolean
  close(): void
}

/** What a circuit has carried at this hop, counted at its client-facing side. */
export interface Meter {
  readonly forwardBytes: number
  readonly backwardBytes: number
}
