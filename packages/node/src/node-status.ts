/** Gathers the numbers of a node from its parts. @module */
import type { DescriptorSet } from '@byway/protocol/directory'
import type { OwnOriginWatch } from './directory/own-origin.ts'
import type { Spread } from './directory/spread.ts'
import type { EvidenceFile } from './directory/evidence-file.ts'
import type { ExitParts } from './exit/start-exit.ts'
import type { LinkTable } from './link-table.ts'
import type { NodeMoney } from './money/node-money-types.ts'
import type { NodeStatus } from './node-types.ts'
import type { NodePlace } from './reach/node-place.ts'
import type { Meter } from './relay/ports.ts'
import type { Relay } from './relay/relay.ts'

/** The parts that know; those absent have not started, or are not there in this network. */
export type StatusSources = {
  readonly set: DescriptorSet
  readonly table: LinkTable
  readonly parts:
    | (ExitParts & {
        readonly relay: Relay
        readonly evidence: EvidenceFile
        readonly money: NodeMoney | undefined
      })
    | undefined
  readonly place: NodePlace | undefined
  readonly spread: Spread | undefined
  readonly origin: OwnOriginWatch
  /** What circuits that are over have carried. */
  readonly past: Pick<Meter, 'forwardBytes' | 'backwardBytes'>
}

/** Reads the numbers of the moment. */
export function readNodeStatus(sources: StatusSources): NodeStatus {
  const { set, table, parts, place, spread, origin, past } = sources
  const circuits = [...(parts?.relay.circuits ?? [])]
  const exit = parts?.exit?.service.status()
  const sum = (count: (meter: Pick<Meter, 'forwardBytes' | 'backwardBytes'>) => number): number =>
    circuits.reduce((total, circuit) => total + count(circuit), count(past))
  return {
    links: table.links.size,
    circuits: circuits.length,
    tunnels: exit?.tunnels ?? 0,
    descriptors: set.size,
    attachments: place?.attachments?.liveCount ?? 0,
    reach: place?.status,
    origin: origin.status,
    forwardBytes: sum(({ forwardBytes }) => forwardBytes),
    backwardBytes: sum(({ backwardBytes }) => backwardBytes),
    exit: exitState(parts),
    exitSockets: exit?.sockets ?? 0,
    evidence: parts?.evidence.count ?? 0,
    gossip: spread?.status,
    money: parts?.money?.status,
  }
}

function exitState(parts: ExitParts | undefined): NodeStatus['exit'] {
  if (!parts?.exit) return 'none'
  return parts.gate?.isOpen === true ? 'open' : 'waiting'
}
