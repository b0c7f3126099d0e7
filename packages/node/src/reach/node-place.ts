/**
 * A node's place, on its links and its directory: who can be asked to try its address, and to which relays it may attach.
 * @module
 */
import {
  mayShareCircuit,
  nodeKeyOf,
  type DescriptorSet,
  type PathNode,
  type PathNodeSet,
  type StakeSource,
} from '@byway/protocol/directory'
import { systemRuntime } from '@byway/net'
import { createAttachments, type Attachments } from '../attachments.ts'
import type { OwnFactsInput } from '../directory/own-facts.ts'
import { nodeError } from '../errors.ts'
import type { LinkTable } from '../link-table.ts'
import type { NodeLinks } from '../node-links.ts'
import type { SocketAddress } from '../socket-address.ts'
import { pause } from '../pause.ts'
import type { SeenAddresses } from '../seen-addresses.ts'
import { createPlace, type Place, type ReachStatus } from './place.ts'
import type { PortMap } from './port-map.ts'
import type { Arrivals } from './arrivals.ts'
import type { ReachLinks } from './reach-links.ts'
import { createReachWitnesses } from './reach-witnesses.ts'

// Local limits (tunable): docs/LIMITS.md.
/** How long new descriptors are gathered before the attachments are chosen anew. */
const DIRECTORY_SETTLE_MS = 50
/** The first trial of the own address comes at a random moment of this long, so that nodes that start together do not all dial at once. */
const FIRST_TRIAL_MS = 20_000

export type NodePlaceDeps = {
  readonly nodeId: Uint8Array
  readonly listen: SocketAddress | undefined
  readonly advertise: SocketAddress | undefined
  readonly portMap: PortMap | undefined
  readonly set: DescriptorSet
  readonly nodes: PathNodeSet
  readonly table: LinkTable
  readonly links: NodeLinks
  readonly seen: SeenAddresses
  readonly reach: ReachLinks
  readonly arrivals: Arrivals
  /** A network on one machine. */
  readonly isLocal: boolean
  /** Absent in a network without a registry. */
  readonly stakes: Pick<StakeSource, 'view'> | undefined
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly onChange: () => void
  readonly onStatus: (status: ReachStatus) => void
}

/** The place of a running node. */
export interface NodePlace extends Place {
  /** Resolves when the node has an address, or is attached. @throws NODE_NOT_ATTACHED */
  join(signal: AbortSignal): Promise<void>
}

/** Creates the place; nothing is dialled before `join`. */
export function createNodePlace(deps: NodePlaceDeps): NodePlace {
  const { listen, advertise, portMap, onChange, random } = deps
  const place = createPlace({
    claimed: advertise ?? (portMap ? undefined : listen),
    listenPort: listen?.port,
    portMap,
    witnesses: createReachWitnesses({
      ...deps,
      links: () => deps.table.links,
      dial: (nodeId, addresses, signal) => deps.links.dial(nodeId, addresses, signal),
      nowMs: () => performance.now(),
    }),
    attach: () => attachmentsOf(deps),
    onChange,
    onStatus: deps.onStatus,
    firstTrialMs: random() * FIRST_TRIAL_MS,
  })
  let isDue = false
  deps.set.onAccepted(() => {
    if (isDue) return
    isDue = true
    // A directory comes in hundreds of editions: one look at them together, one edition of our own.
    setTimeout(() => {
      isDue = false
      place.maintain()
    }, DIRECTORY_SETTLE_MS).unref()
  })
  return Object.assign(place, {
    async join(signal: AbortSignal): Promise<void> {
      await place.start()
      while (place.attachments?.liveCount === 0) {
        if (signal.aborted)
          throw nodeError('NODE_NOT_ATTACHED', { relays: attachableRelays(deps).length })
        await pause(signal)
      }
    },
  })
}

function attachmentsOf(deps: NodePlaceDeps): Attachments {
  return createAttachments({
    relays: () => attachableRelays(deps),
    random: deps.random,
    linkOf: (nodeId) => deps.table.get(nodeId),
    dial: ({ descriptor }, signal) =>
      deps.links.dial(descriptor.nodeId, descriptor.addresses, signal),
    onCandidates: deps.onChange,
    nowMs: () => performance.now(),
    setTimer: (run, delayMs) => systemRuntime.setTimer(run, delayMs),
  })
}

/** Public relays that may stand beside this node in a circuit; all of them while it has no descriptor to compare. */
function attachableRelays({ nodes, nodeId }: NodePlaceDeps): readonly PathNode[] {
  const own = nodes.get(nodeKeyOf(nodeId))
  return nodes
    .list(Date.now())
    .filter((node) => node.isRelay && node.isPublic && (!own || mayShareCircuit(node, own)))
}

/** What the descriptor says of the place (SPEC §10.1); a mapped port is one for links alone. */
export function placeFacts(
  place: NodePlace | undefined,
  gossipPort: number | undefined,
): Pick<OwnFactsInput, 'address' | 'attachments' | 'gossipPort'> {
  const { address, isMapped, attachments } = place ?? {}
  return {
    address,
    attachments: (attachments?.candidates ?? []).map(({ descriptor }) => descriptor.nodeId),
    gossipPort: isMapped === true ? undefined : gossipPort,
  }
}
