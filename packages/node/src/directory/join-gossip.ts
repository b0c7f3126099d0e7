/**
 * The node's part in the gossip of a network with a registry (SPEC §10.4): starts it, and asks other nodes over links for what it did not bring.
 * @module
 */
import type { DescriptorSet, PathNodeSet } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { loadIdentity } from '../identity-store.ts'
import type { LinkTable } from '../link-table.ts'
import type { NodeLinks } from '../node-links.ts'
import type { NodeOptions } from '../node-types.ts'
import type { DirectoryService } from './directory-service.ts'
import { meetFirstContacts } from './first-contacts.ts'
import type { Spread } from './spread.ts'

export type JoinGossipDeps = {
  readonly options: Pick<NodeOptions, 'stakes' | 'network' | 'home' | 'listen'>
  readonly nodeId: Uint8Array
  readonly set: DescriptorSet
  readonly nodes: PathNodeSet
  readonly table: Pick<LinkTable, 'linkTo'>
  readonly links: NodeLinks
  /** Links to other nodes that stand. */
  readonly nodeLinks: () => readonly Link[]
  readonly directory: Pick<DirectoryService, 'ask'>
  /** The own signed descriptor, once there is one. */
  readonly own: () => Uint8Array | undefined
  /** In [0, 1). */
  readonly random: () => number
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
}

/** Nothing in a network without a registry. @throws NODE_GOSSIP_LISTEN */
export async function joinGossip(deps: JoinGossipDeps): Promise<Spread | undefined> {
  const { stakes, network, home, listen } = deps.options
  if (!stakes) return undefined
  // Loaded only where there is gossip: the library takes its time.
  const { startSpread } = await import('./spread.ts')
  return await startSpread({
    networkName: network.name,
    isLocal: network.local,
    identitySeed: await loadIdentity(home),
    nodeId: deps.nodeId,
    listen: listen && { host: listen.host, port: listen.port === 0 ? 0 : listen.port + 1 },
    set: deps.set,
    nodes: deps.nodes,
    stakes,
    own: deps.own,
    ask: (asked) => void askNode(deps, asked),
    random: deps.random,
    nowMs: () => Date.now(),
  })
}

/** Asks a node, or one of those with a link, for what it knows. Never rejects. */
async function askNode(deps: JoinGossipDeps, nodeId: Uint8Array | undefined): Promise<void> {
  const { links, table, stopped } = deps
  const standing = deps.nodeLinks()
  const any = standing[Math.floor(deps.random() * standing.length)]
  // A first contact may have been busy: alone nobody is known.
  if (!any && !nodeId) await meetFirstContacts(deps.options.network, deps.nodeId, links, stopped)
  const found = nodeId ? await table.linkTo(nodeId, stopped) : any
  if (found && typeof found === 'object') deps.directory.ask(found)
}
