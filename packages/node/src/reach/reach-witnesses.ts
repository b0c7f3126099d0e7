/**
 * Who tries this node's address, and which of their words count (SPEC §10.5): nodes drawn from the directory that stand apart from each other and from this node, and of those
 * who say that they reached it only whom it has seen at its port.
 * @module
 */
import {
  fairWeights,
  mayShareCircuit,
  type NodeStanding,
  nodeKeyOf,
  prefixGroupOf,
  type PathNode,
  type PathNodeSet,
  type StakeSource,
} from '@byway/protocol/directory'
import { equalBytes, toHex } from '@byway/protocol/base'
import type { Link } from '@byway/protocol/link'
import { parseAddress } from '@byway/protocol/policy'
import { REACH_RESULT, type ReachResult } from '@byway/protocol/wire'
import { drawApart } from '../attachment-choice.ts'
import type { NodeLinks } from '../node-links.ts'
import type { SocketAddress } from '../socket-address.ts'
import { pause } from '../pause.ts'
import type { SeenAddresses } from '../seen-addresses.ts'
import type { Arrivals } from './arrivals.ts'
import type { ReachLinks } from './reach-links.ts'

// Local limits (tunable): docs/LIMITS.md.
/** As many say enough; each trial is a handshake for the one asked, and often a dial for who asks. */
const MAX_WITNESSES = 5
/** One alone may lie, or sit behind a broken line: so many must be there before silence says anything, and a node that has just begun waits for them a little. */
const ENOUGH_WITNESSES = 2
/** The directory comes within a round trip or two of the first link. */
const WITNESS_WAIT_MS = 3000

export type ReachWitnessDeps = {
  readonly nodeId: Uint8Array
  /** A network on one machine, whose nodes are one person's: there any neighbour will do. */
  readonly isLocal: boolean
  readonly nodes: PathNodeSet
  /** Absent in a network without a registry, where anybody may sign a descriptor. */
  readonly stakes: Pick<StakeSource, 'view'> | undefined
  readonly links: () => Iterable<Link>
  readonly dial: NodeLinks['dial']
  readonly seen: Pick<SeenAddresses, 'over'>
  readonly reach: Pick<ReachLinks, 'ask'>
  readonly arrivals: Pick<Arrivals, 'watch'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** The witnesses of a node's address. */
export interface ReachWitnesses {
  /** So many must have tried in vain before an address counts as not reached: one where all nodes are one person's. */
  readonly enough: number
  /** Has up to five try the address; what counts of their words, one each. Never rejects. */
  askAll(address: SocketAddress, signal: AbortSignal): Promise<readonly ReachResult[]>
}

/** Creates them; nobody is asked yet. */
export function createReachWitnesses(deps: ReachWitnessDeps): ReachWitnesses {
  return {
    enough: deps.isLocal ? 1 : ENOUGH_WITNESSES,
    async askAll(address, signal) {
      const links = deps.isLocal
        ? neighbours(deps, address.host).map((link) => Promise.resolve(link))
        : (await drawWhenKnown(deps, address.host, signal)).map((node) =>
            linkTo(deps, node, address.host, signal),
          )
      const words = await Promise.all(
        links.map(async (link) => await askOne(deps, await link, address, signal)),
      )
      return words.filter((word) => word !== undefined)
    },
  }
}

/** Nothing of one that is away, does not answer, or sees this node elsewhere: it has tried another address. */
async function askOne(
  { reach, seen, arrivals }: ReachWitnessDeps,
  link: Link | undefined,
  { host, port }: SocketAddress,
  signal: AbortSignal,
): Promise<ReachResult | undefined> {
  if (link?.peer.role !== 'node') return undefined
  using watch = arrivals.watch(link.peer.nodeId)
  const word = await reach.ask(link, port, signal)
  if (word === undefined || seen.over(link) !== host) return undefined
  // SPEC §10.5: "REACHED counts of a node that came to the port meanwhile".
  if (word !== REACH_RESULT.REACHED || (await watch.hasCome(signal))) return word
  return REACH_RESULT.UNTRIED
}

/** A link that comes from the address as the other end sees it, or a new one. */
async function linkTo(
  { links, seen, dial }: ReachWitnessDeps,
  { key, entry }: PathNode,
  host: string,
  signal: AbortSignal,
): Promise<Link | undefined> {
  for (const link of links()) {
    const { peer } = link
    const isTo = peer.role === 'node' && nodeKeyOf(peer.nodeId) === key
    if (isTo && !link.isClosed && seen.over(link) === host) return link
  }
  const { nodeId, addresses } = entry.descriptor
  return await dial(nodeId, addresses, signal).catch(() => undefined)
}

async function drawWhenKnown(
  deps: ReachWitnessDeps,
  host: string,
  signal: AbortSignal,
): Promise<readonly PathNode[]> {
  const untilMs = deps.nowMs() + WITNESS_WAIT_MS
  for (;;) {
    const drawn = drawWitnesses(deps, host)
    const isTime = deps.nowMs() >= untilMs || signal.aborted
    if (drawn.length >= ENOUGH_WITNESSES || isTime) return drawn
    await pause(signal)
  }
}

/**
 * Draws up to five public nodes, with a stake where there is a registry, of which no two share an owner, an address block, an autonomous system or a family with each other, nor
 * with this node. Each of a large group weighs little.
 */
export function drawWitnesses(deps: ReachWitnessDeps, host: string): readonly PathNode[] {
  const { nodes, stakes, random } = deps
  const own = ownStanding(deps, host)
  const staked = (node: PathNode): boolean =>
    !stakes || stakes.view.stakeOf(node.entry.descriptor) > 0n
  const fit = nodes
    .list(Date.now())
    .filter((node) => node.isPublic && staked(node) && mayShareCircuit(node, own))
  return drawApart([], fit, { max: MAX_WITNESSES, weights: fairWeights(fit, () => 1), random })
}

/** This node as the path rules see it at that address, also before it has a descriptor. */
function ownStanding({ nodes, nodeId, stakes }: ReachWitnessDeps, host: string): NodeStanding {
  const key = nodeKeyOf(nodeId)
  const ip = parseAddress(host)
  const asn = ip ? nodes.origins.lookup(ip).asn : 0
  const record = stakes?.view.records().find((each) => equalBytes(each.nodeId, nodeId))
  const known = nodes.get(key)
  return {
    key,
    prefixGroups: ip ? [prefixGroupOf(ip)] : [],
    asns: asn === 0 ? [] : [asn],
    owners: [...(known?.owners ?? []), ...(record ? [`staker ${toHex(record.owner)}`] : [])],
  }
}

/**
 * One link to each neighbour that sees this address, in random order. A host with several addresses may dial from another than it listens at, as on a loopback:
 * whom it dialled cannot try that one.
 */
function neighbours({ links, seen, random }: ReachWitnessDeps, host: string): readonly Link[] {
  const byNode = new Map<string, Link>()
  for (const link of links()) {
    if (link.peer.role === 'node' && seen.over(link) === host)
      byNode.set(nodeKeyOf(link.peer.nodeId), link)
  }
  return [...byNode.values()]
    .map((link) => ({ link, place: random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ link }) => link)
    .slice(0, MAX_WITNESSES)
}
