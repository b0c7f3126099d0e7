/** What a client is made of, what it does, and what it says of itself. */
import type { Logger } from '@byway/protocol/base'
import type { NetworkParameters, OriginBooks } from '@byway/protocol/directory'
import type { TrafficClass, TunnelTerms } from '@byway/protocol/wire'
import type { ClientPayment, MoneyStatus } from '../money/money-types.ts'
import type { Dialer } from '../proxy/dialer.ts'
import type { ClientStakes, DirectoryFacts } from './directory-keeper.ts'
import type { NodeScore } from './node-score.ts'
import type { SeatSets } from './seat-sets.ts'

export type ClientOptions = {
  readonly network: NetworkParameters
  /** Folder for guards and the last directory; without it the client remembers nothing. */
  readonly home?: string | undefined
  /** The registry's stakes, in a network that has one: without them each signed descriptor counts. */
  readonly stakes?: ClientStakes | undefined
  /** Hops of a circuit when the user name does not say. @default 2, or 3 to an exit without an address */
  readonly hops?: 1 | 2 | 3 | undefined
  /** Traffic class when the user name does not say. Only what exits are told, and price: nothing proves it. @default browse */
  readonly trafficClass?: TrafficClass | undefined
  /** Ids of the user's own nodes, asked at each choice: no circuit goes through them. @default none */
  readonly ownNodes?: (() => readonly Uint8Array[]) | undefined
  /** Lets `hops: 1` through, which hides nothing. Benches only. @default false */
  readonly unsafeSingleHop?: boolean | undefined
  /** A layer for the entry too (SPEC §6.1). @default false */
  readonly entryLayer?: boolean | undefined
  /** What is known of addresses besides the network's table (docs/PLACE.md): where a node is goes by it. */
  readonly places?: OriginBooks | undefined
  readonly log?: Logger | undefined
  /** What to pay with, in a network whose file says how it is paid. Without it nothing is paid there, and little is served. */
  readonly payment?: ClientPayment | undefined
  /** Told when a tunnel opens and whenever it moves to other relays. */
  readonly onPath?: ((path: PathReport) => void) | undefined
}

/** The nodes that a tunnel runs through, entry first. For the user's own eyes: never logged. */
export type PathReport = {
  readonly hops: readonly {
    readonly nodeId: string
    readonly country: string
    readonly asn: number | undefined
  }[]
  readonly streams: number
  /** What it is for, and what that costs at its exit. */
  readonly terms: TunnelTerms
  /** How long its streams last, where its nodes were chosen for that. */
  readonly lastsMs?: number | undefined
  /** How often the tunnel has moved since it opened. */
  readonly rejoins: number
  readonly buildMs?: number | undefined
}

/** Tunnels that were given up with streams in them since the start, and why the last one was. */
export type LostTunnels = {
  readonly count: number
  readonly code?: string | undefined
  readonly reason?: string | undefined
  /** Whose fault, from 1; 0 where none is known. */
  readonly hop?: number | undefined
}

export type ClientStatus = DirectoryFacts & {
  readonly links: number
  readonly stock: number
  readonly lost: LostTunnels
  readonly tunnels: readonly PathReport[]
  /** Undefined where nothing is paid. */
  readonly money: MoneyStatus | undefined
}

/** How far a guard is. */
export type GuardMeasure = {
  readonly nodeId: string
  /** A PING's round trip; undefined when the link closed meanwhile. */
  readonly rttMs: number | undefined
}

/** A running client. */
export interface Client extends Dialer, AsyncDisposable {
  /**
   * Fetches the directory, reaches a guard, fills the stock.
   * @throws DIRECTORY_INCOMPLETE, DIRECTORY_OLD, ENTRY_UNREACHABLE, NO_PATH, EXIT_CLASS, EXIT_PRICE, CIRCUIT_FAILED, or the signal's reason
   */
  start(signal: AbortSignal): Promise<void>
  status(): ClientStatus
  /** Nodes that tell what the chain says, in a network where something is paid (SPEC §15.9); of use once the client has started. */
  readonly seats: SeatSets
  /** Asks slots back, each at its own time (SPEC §15.8): those that their hops take no more, or all that were shown; besides, those of which nobody knows (DESIGN §7.1). Gives how many were not asked for before. */
  giveBack(isAll: boolean): Promise<number>
  /** Tells the ledger of payment all that was counted so far. Resolves when it has it; at once where nothing is paid. */
  flushBooks(): Promise<void>
  /** What this client makes of every node, and of what; the most chosen first. */
  scores(): readonly NodeScore[]
  /** Measures every link to a guard that stands now. Resolves within the time a silent link lives (SPEC §4.5). */
  measureGuards(): Promise<readonly GuardMeasure[]>
}
