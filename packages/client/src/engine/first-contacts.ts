/** Which first contact is asked after another (SPEC §10.2): whoever runs one is likely to run its neighbours too, and two of one hand are no better than one. */
import { mayShareCircuit, nodeKeyOf, prefixGroupOf } from '@byway/protocol/directory'
import type { BootstrapNode, NodeKey, PathNode } from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'

/**
 * The contacts in their order, but first those that stand apart from all who were asked: in another /16 (IPv6 /32), and of another family, AS and staker where the
 * directory knows both. Those that differ by their prefix alone come next, since a family is only claimed, and then the rest: a file may have one prefix only.
 */
export function apartFirst(
  contacts: readonly BootstrapNode[],
  asked: readonly BootstrapNode[],
  nodeOf: (key: NodeKey) => PathNode | undefined,
): readonly BootstrapNode[] {
  const rankOf = (contact: BootstrapNode): number => {
    if (asked.some((other) => groupOf(other) === groupOf(contact))) return 2
    return asked.every((other) => mayBeOfTwo(nodeOf, other, contact)) ? 0 : 1
  }
  // Equals stay in their order: it was drawn.
  return contacts
    .map((contact) => ({ contact, rank: rankOf(contact) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ contact }) => contact)
}

function groupOf({ address }: BootstrapNode): string {
  const ip = parseAddress(address)
  return ip ? prefixGroupOf(ip) : address
}

/** False when the directory knows that they are one hand's. */
function mayBeOfTwo(
  nodeOf: (key: NodeKey) => PathNode | undefined,
  a: BootstrapNode,
  b: BootstrapNode,
): boolean {
  const [one, other] = [nodeOf(nodeKeyOf(a.nodeId)), nodeOf(nodeKeyOf(b.nodeId))]
  return !one || !other || mayShareCircuit(one, other)
}
