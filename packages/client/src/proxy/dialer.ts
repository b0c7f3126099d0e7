/**
 * The port between the local proxy and the client engine: what the proxy asks of
 * circuits, and the words it asks with. The engine implements it; the proxy knows no circuit.
 * @module
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TrafficClass } from '@byway/protocol/wire'

/** What an app asked for by its user name. An absent field leaves the choice to the engine. */
export type Selection = {
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string | undefined
  /** Lower case, words joined by `_`. */
  readonly city?: string | undefined
  readonly asn?: number | undefined
  /** Streams of one session keep one exit. */
  readonly session?: string | undefined
  /** How long a session keeps its exit. */
  readonly lifeMs?: number | undefined
  readonly hops?: 2 | 3 | undefined
  /** What the traffic is; exits take classes or not, and price them apart. */
  readonly trafficClass?: TrafficClass | undefined
}

/** Groups of destination ports that share circuits. */
export type PortClass = 'web' | 'mail' | 'remote' | 'dns' | 'datagram' | 'other'

/**
 * Streams whose keys differ in any field never share a circuit. Plain fields: the
 * engine compares them. User name and password are secrets and belong in no log.
 */
export type IsolationKey = {
  readonly listener: string
  readonly sourceAddress: string
  readonly username: string
  readonly password: string
  readonly portClass: PortClass
}

/** A destination: a lower-case name or a canonical IP literal without brackets. */
export type Target = { readonly host: string; readonly port: number }

/** Options of every call through a circuit. */
export type DialOptions = {
  readonly isolation: IsolationKey
  readonly selection: Selection
  /**
   * Aborts the call when the app has gone. It says nothing about a stream or flow that was handed over:
   * its holder ends or destroys it, and an app that has finished may close before its last bytes are out.
   */
  readonly signal: AbortSignal
}

/** What the exit said when it connected. */
export type ConnectInfo = { readonly family: 4 | 6 | undefined }

/**
 * A TCP stream through a circuit, with `allowHalfOpen`. `end` is the far side's FIN (DONE on the
 * wire); every other ending is `destroy(error)`, and the app is then reset (THREAT-MODEL T20).
 */
export type ByteStream = Duplex & {
  /** Resolves when the exit has connected; rejects with a `BywayError` whose code is a {@link DialFailureCode}. */
  readonly connected: Promise<ConnectInfo>
  /** As `write`, for a chunk that nobody else uses: the engine may free its memory. Cheaper, if the engine can. */
  readonly give?: (chunk: Uint8Array) => boolean
  /**
   * Writes what comes straight to the app's socket, if the engine can: cheaper than reading, which must not be done then. End and
   * failure show as ever.
   */
  readonly pourInto?: (socket: Socket) => void
}

/** One datagram's far end and payload. */
export type Datagram = { readonly peer: Target; readonly payload: Uint8Array }

/** A UDP flow through a circuit. Datagrams may be lost at any point. */
export interface DatagramFlow {
  /** The largest payload that {@link send} carries; larger ones are dropped by the caller. */
  readonly maxPayloadBytes: number
  /** Sends one datagram or drops it; returns whether it was taken. Never queues without bound. */
  send(datagram: Datagram): boolean
  /** Settles when the flow is gone, for whatever reason; rejects with the cause if it failed. */
  readonly closed: Promise<void>
  close(): void
}

/** What the proxy needs of the client engine. Every method rejects with a `BywayError`. */
export interface Dialer {
  /**
   * Opens a TCP stream through a circuit. Resolves once there is a stream to write to, which MAY be
   * before the exit has connected (optimistic data): see {@link ByteStream.connected}.
   */
  connect(target: Target, options: DialOptions): Promise<ByteStream>
  /** Resolves a name at the exit to IP literals, at least one. */
  resolve(host: string, options: DialOptions): Promise<readonly string[]>
  /** Opens a datagram flow; `onDatagram` is called for each datagram that comes back. */
  openDatagrams(
    options: DialOptions & { readonly onDatagram: (datagram: Datagram) => void },
  ): Promise<DatagramFlow>
}

/**
 * The error codes of a {@link Dialer} that the proxy tells apart; any other is a general failure.
 * `EXIT_…` are the reset reasons of SPEC §12.2, but for EXIT_CLASS and EXIT_PRICE: these and the others are the client's own.
 */
export type DialFailureCode =
  | 'EXIT_POLICY'
  | 'EXIT_RESOLVE_FAILED'
  | 'EXIT_CONNECT_REFUSED'
  | 'EXIT_UNREACHABLE'
  | 'EXIT_TIMEOUT'
  | 'EXIT_RESET'
  | 'EXIT_BUSY'
  | 'EXIT_DRAINING'
  | 'EXIT_FAILED'
  | 'CIRCUIT_FAILED'
  | 'NO_PATH'
  | 'EXIT_CLASS'
  | 'EXIT_PRICE'
  | 'DIRECTORY_INCOMPLETE'
  | 'DIRECTORY_OLD'
  | 'ENTRY_UNREACHABLE'
  | 'CLIENT_CLOSED'
  | 'BUDGET_SPENT'
  | 'DEPOSIT_SPENT'
  | 'PAYMENT_REFUSED'
