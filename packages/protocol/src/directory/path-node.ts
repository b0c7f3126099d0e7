/**
 * Nodes as the path rules see them (SPEC §10.3): a directory entry with its groups worked out once. Says which two nodes
 * may stand in one circuit; choosing is path.ts.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import { type Descriptor, ROLE, type SeenPlace } from '@byway/protocol/wire'
import { createOriginSource, type OriginBooks, type OriginSource } from './address-origin.ts'
import { prefixGroupOf, toIpAddress } from './asn-table.ts'
import { type JudgedPlace, placeOf } from './claimed-place.ts'
import type { DescriptorSet, DirectoryEntry } from './descriptor-set.ts'
import type { NetworkParameters } from './network-parameters.ts'
import { type NodeKey, nodeKeyOf } from './node-key.ts'
import type { OwnerOf } from './stake-table.ts'

export type PathNode = JudgedPlace & {
  readonly key: NodeKey
  readonly entry: DirectoryEntry
  readonly isRelay: boolean
  readonly isExit: boolean
  /** True when it has an address of its own; others are reached through an attachment. */
  readonly isPublic: boolean
  /** Relays that it may be attached to. */
  readonly attachments: readonly NodeKey[]
  /** The /16 or /32 of each address. */
  readonly prefixGroups: readonly string[]
  /** Family and staker ids, each with its kind. */
  readonly owners: readonly string[]
  /** Of these the stakers. A family is only claimed: whoever could lower its share would claim it. */
  readonly stakers: readonly string[]
}

/** The nodes of a directory, for path rules and guards. */
export interface PathNodeSet {
  get(key: NodeKey): PathNode | undefined
  /** All nodes whose descriptor has not expired at that time. */
  list(nowMs: number): readonly PathNode[]
  /** What is known of any address. */
  readonly origins: OriginSource
  /** Ports that exits of this network open besides their profile (the targets of a local network). */
  readonly extraPorts: ReadonlySet<number>
}

/** Where relays see a node that names no address; the same object until they say something else. */
export type SeenPlaceOf = (key: NodeKey) => SeenPlace | undefined

/** What others say of nodes. */
export type NodeFacts = {
  /** @default no relay says anything */
  readonly seenPlaceOf?: SeenPlaceOf | undefined
  /** @default nobody says */
  readonly ownerOf?: OwnerOf | undefined
}

/** Views a set of descriptors through a network's table, and through what else is known of addresses and nodes. Work per node is done once for each edition. */
export function createPathNodeSet(
  set: Pick<DescriptorSet, 'get' | 'entries'>,
  network: Pick<NetworkParameters, 'asnTable' | 'exitTargets'>,
  books?: OriginBooks,
  { seenPlaceOf, ownerOf }: NodeFacts = {},
): PathNodeSet {
  const origins = createOriginSource(network.asnTable, books)
  const worked = new WeakMap<DirectoryEntry, SaidOfNode & { readonly node: PathNode }>()
  const toNode = (entry: DirectoryEntry): PathNode => {
    const old = worked.get(entry)
    const { addresses } = entry.descriptor
    const seen = addresses.length > 0 ? undefined : seenPlaceOf?.(entry.key)
    const owner = ownerOf?.(entry.descriptor)
    if (old && old.seen === seen && old.owner === owner) return old.node
    const node = toPathNode(entry, origins, { seen, owner })
    worked.set(entry, { node, seen, owner })
    return node
  }
  return {
    get(key) {
      const entry = set.get(key)
      return entry && toNode(entry)
    },
    list(nowMs) {
      const nodes: PathNode[] = []
      for (const entry of set.entries()) {
        if (entry.descriptor.expiresS * 1000 > nowMs) nodes.push(toNode(entry))
      }
      return nodes
    },
    origins,
    extraPorts: new Set(network.exitTargets.map(({ port }) => port)),
  }
}

/** What others say of one node. */
export type SaidOfNode = {
  readonly seen?: SeenPlace | undefined
  /** Who put its stake down, 20 bytes. */
  readonly owner?: Uint8Array | undefined
}

/** Works out a node's groups. */
export function toPathNode(
  entry: DirectoryEntry,
  origins: OriginSource,
  { seen, owner }: SaidOfNode = {},
): PathNode {
  const { descriptor } = entry
  const addresses = descriptor.addresses.map(toIpAddress)
  return {
    key: entry.key,
    entry,
    isRelay: (descriptor.roles & ROLE.RELAY) !== 0,
    isExit: (descriptor.roles & ROLE.EXIT) !== 0,
    isPublic: addresses.length > 0,
    attachments: descriptor.attachments.map(nodeKeyOf),
    prefixGroups: [...new Set(addresses.map(prefixGroupOf))],
    ...placeOf(addresses, descriptor, origins, seen),
    ...ownersOf(descriptor, owner),
  }
}

/** What two nodes may not have in common. */
export type NodeStanding = Pick<PathNode, 'key' | 'prefixGroups' | 'asns' | 'owners'>

/** SPEC §10.3: "Two hops of a circuit never share a /16 (IPv6 /32), an ASN other than 0, a family, a staker or a node id." */
export function mayShareCircuit(a: NodeStanding, b: NodeStanding): boolean {
  return (
    a.key !== b.key &&
    !shareAny(a.prefixGroups, b.prefixGroups) &&
    !shareAny(a.asns, b.asns) &&
    !shareAny(a.owners, b.owners)
  )
}

function ownersOf(
  { familyId, stakerId }: Descriptor,
  owner: Uint8Array | undefined,
): Pick<PathNode, 'owners' | 'stakers'> {
  // SPEC §10.3: whatever the descriptor says, where the registry says who it is.
  const staker = owner ?? stakerId
  const stakers = staker ? [`staker ${toHex(staker)}`] : []
  return { owners: familyId ? [`family ${toHex(familyId)}`, ...stakers] : stakers, stakers }
}

function shareAny<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.some((item) => b.includes(item))
}
