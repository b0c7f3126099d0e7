/** What a tunnel of the client needs from around it, and what a flow of datagrams is given to. @module */
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { PathNode } from '@byway/protocol/directory'
import type { Endpoint, TunnelTerms } from '@byway/protocol/wire'
import type { TunnelPayer } from '../money/tunnel-payer.ts'
import type { Timers } from '../proxy/timers.ts'
import type { ReadyCircuit } from './circuit-source.ts'
import type { Transfer } from './goodput-meter.ts'

/** @typeParam Driver - who drives the tunnel: what the pool is told of, and given back */
export type TunnelDriverDeps<Driver> = {
  readonly provider: CryptoProvider
  readonly randomBytes: (count: number) => Uint8Array
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** @default the system's */
  readonly timers?: Timers | undefined
  /** What the tunnel is for, as its exit's descriptor prices it. */
  readonly terms: TunnelTerms
  /** Builds another circuit to the same exit; rejects when there is none any more. */
  readonly rejoin: (driver: Driver, signal: AbortSignal) => Promise<ReadyCircuit>
  /** The tunnel is over and can be forgotten. */
  readonly onOver: (driver: Driver) => void
  /** The tunnel was given up with so many streams in it, for this. */
  readonly onLost: (cause: unknown, streams: number) => void
  /** The exit at this path's end does not take the tunnel, as its guard says: what it offers is not what its client has read. */
  readonly onRefused: (path: readonly PathNode[]) => void
  /** A node of the path says that it stops soon. */
  readonly onLeaving: (node: PathNode) => void
  /** How long its streams last, where that is long. */
  readonly lastsMs?: number | undefined
  /** The path has changed: first leg, and each later one. */
  readonly onPath: (driver: Driver) => void
  /** Told what the nodes of a path have brought in a busy second. */
  readonly onTransfer: (path: readonly PathNode[], transfer: Transfer) => void
  /** Told the least round trip of a leg that is over, to the exit and back: what lies behind the exit is in none. */
  readonly onRtt: (path: readonly PathNode[], rttMs: number) => void
  /** Pays the hops after the entry; none in a network where nothing is paid. */
  readonly payer?: TunnelPayer | undefined
}

/** Takes what comes for one flow. */
export type DatagramSink = {
  readonly onDatagram: (endpoint: Endpoint, payload: Uint8Array) => void
  readonly onClosed: (error: Error | undefined) => void
}
