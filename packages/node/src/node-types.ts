/**
 * What a node is told, what it says of itself and what can be asked of it.
 * @module
 */
import type { GossipStatus } from '@byway/gossip'
import type { Logger } from '@byway/protocol/base'
import type { NetworkParameters, OriginBooks, StakeSource } from '@byway/protocol/directory'
import type { RedeemAnswer } from '@byway/protocol/wire'
import type { EditionPair } from './directory/evidence-file.ts'
import type { OwnOrigin } from './directory/own-origin.ts'
import type { ExitRoleOptions } from './exit/exit-options.ts'
import type { ReachStatus } from './reach/place.ts'
import type { PortMap } from './reach/port-map.ts'
import type { ExitStore } from './record/exit-recorder.ts'
import type { MoneyStatus, NodePaymentOptions } from './money/node-money-types.ts'
import type { Serving } from './serving.ts'
import type { SocketAddress } from './socket-address.ts'

export type NodeOptions = {
  readonly network: NetworkParameters
  /** Folder of the identity. */
  readonly home: string
  /** Where to listen for links; without it the node has no public port and attaches to relays. */
  readonly listen?: SocketAddress | undefined
  /** What to publish when it differs from where the node listens. */
  readonly advertise?: SocketAddress | undefined
  /** The home's router: opens the port where nothing is advertised. A node behind it that others do not reach attaches to relays. */
  readonly portMap?: PortMap | undefined
  /** Others have tried to reach the node. */
  readonly onReach?: ((status: ReachStatus) => void) | undefined
  /** Set only with the operator's consent on record: the caller has checked it. */
  readonly exit?: ExitRoleOptions | undefined
  /** ISO 3166 letters. @default what a database or the network's table says of the address */
  readonly country?: string | undefined
  /** @default what is known of the address */
  readonly asn?: number | undefined
  /** The same name at all nodes of one operator: no circuit goes through two of them. @default none */
  readonly family?: string | undefined
  /** What is known of addresses besides the network's table (docs/PLACE.md). */
  readonly places?: OriginBooks | undefined
  /** Country and AS as the operator says them have been held against what is known, with another result than before. */
  readonly onOrigin?: ((status: OwnOrigin) => void) | undefined
  /** How the node is paid; needed in a network with payment (SPEC §13), without meaning in another. */
  readonly payment?: NodePaymentOptions | undefined
  /** The registry's stakes, in a network that has one: descriptors then spread by gossip, and only those with a stake count. */
  readonly stakes?: StakeSource | undefined
  /** Told of two editions that a node signed under one number, and at the start of those of earlier runs. */
  readonly onDoubleEditions?: ((pair: EditionPair) => void) | undefined
  /** Where the exit record is kept (SPEC §10.6); absent where none is. */
  readonly exits?: ExitStore | undefined
  readonly log?: Logger | undefined
}

/** No address, no peer. */
export type NodeStatus = {
  readonly links: number
  readonly circuits: number
  readonly tunnels: number
  readonly descriptors: number
  readonly attachments: number
  /** Absent before the start. */
  readonly reach: ReachStatus | undefined
  /** What the operator says of country and AS, and what is known. Absent before the first look. */
  readonly origin: OwnOrigin | undefined
  readonly forwardBytes: number
  readonly backwardBytes: number
  /** `waiting`: nothing is carried until two neighbours agree on this line's own address, so that nobody is sent to its front door. */
  readonly exit: 'none' | 'waiting' | 'open'
  readonly exitSockets: number
  /** Nodes that signed two editions under one number: proofs are kept. */
  readonly evidence: number
  /** Absent in a network without a registry. */
  readonly gossip?: GossipStatus | undefined
  /** Absent where nothing is paid. */
  readonly money?: MoneyStatus | undefined
}

/** A node. */
export interface RunningNode extends AsyncDisposable {
  /** Empty before `start`. */
  readonly nodeId: Uint8Array
  readonly listen: SocketAddress | undefined
  /** Where others reach it, as its descriptor says; absent for one that is reached through relays. */
  readonly address: SocketAddress | undefined
  /** Resolves when the node listens, or is attached, and has published its descriptor. @throws NET_LISTEN, NODE_EXIT_UNSAFE, NODE_NOT_ATTACHED */
  start(signal: AbortSignal): Promise<void>
  status(): NodeStatus
  /** Tells the ledger of payment all that was counted so far. Resolves when it has it; at once where nothing is paid. */
  flushBooks(): Promise<void>
  /** Node ids of the others that are known, in no order. */
  knownNodes(): readonly Uint8Array[]
  /** Leaves an order with a redeemer (SPEC §15.7); nothing when it cannot be reached, does not answer, or nothing is paid here. Never rejects. */
  askRedeemer(
    nodeId: Uint8Array,
    order: Uint8Array,
    signal: AbortSignal,
  ): Promise<RedeemAnswer | undefined>
  /** Leaves the own service proof with neighbours (SPEC §17.6); nothing where none are shown. */
  leaveProof(proof: Uint8Array): void
  /** Whether it takes circuits: for whoever keeps quiet hours and caps. */
  readonly serving: Pick<Serving, 'announceDrain' | 'hibernate' | 'resume'>
  /** Refuses new circuits and lets live ones end, at most this long; then it ends them. Links to other nodes stay. */
  drain(seconds: number): Promise<void>
}
