/**
 * Under which addresses other nodes see this one (NETINFO, SPEC §4.4). One node alone is not believed: an address counts when two agree.
 * @module
 */
import { nodeKeyOf, toIpAddress } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { formatAddress } from '@byway/protocol/policy'
import type { IpBytes } from '@byway/protocol/wire'

const WITNESSES = 2

/** What neighbours say. */
export interface SeenAddresses {
  note(link: Link, address: IpBytes): void
  forget(link: Link): void
  /** What the other end of a link sees; undefined where it has not said. */
  over(link: Link): string | undefined
  /** Addresses that at least two neighbours see. */
  agreed(): readonly string[]
}

/** Creates an empty record. */
export function createSeenAddresses(): SeenAddresses {
  const byLink = new Map<Link, { readonly witness: NodeKey; readonly address: string }>()
  return {
    note(link, address) {
      if (link.peer.role !== 'node') return
      const witness = nodeKeyOf(link.peer.nodeId)
      byLink.set(link, { witness, address: formatAddress(toIpAddress(address)) })
    },
    forget(link) {
      byLink.delete(link)
    },
    over: (link) => byLink.get(link)?.address,
    agreed() {
      // A node that has two links here is one witness.
      const witnesses = new Map<string, Set<NodeKey>>()
      for (const { witness, address } of byLink.values()) {
        const known = witnesses.get(address)
        if (known) known.add(witness)
        else witnesses.set(address, new Set([witness]))
      }
      return [...witnesses].filter(([, { size }]) => size >= WITNESSES).map(([address]) => address)
    },
  }
}
