/**
 * Under which addresses other nodes see this one (NETINFO, SPEC §4.4). One node alone is not believed: an address counts when two agree.
 * @module
 */
import { toIpAddress } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { formatAddress } from '@byway/protocol/policy'
import type { IpBytes } from '@byway/protocol/wire'

const WITNESSES = 2

/** What neighbours say. */
export interface SeenAddresses {
  note(link: Link, address: IpBytes): void
  forget(link: Link): void
  /** Addresses that at least two neighbours see. */
  agreed(): readonly string[]
}

/** Creates an empty record. */
export function createSeenAddresses(): SeenAddresses {
  const byLink = new Map<Link, string>()
  return {
    note(link, address) {
      if (link.peer.role === 'node') byLink.set(link, formatAddress(toIpAddress(address)))
    },
    forget(link) {
      byLink.delete(link)
    },
    agreed() {
      const counts = new Map<string, number>()
      for (const address of byLink.values()) counts.set(address, (counts.get(address) ?? 0) + 1)
      return [...counts].filter(([, count]) => count >= WITNESSES).map(([address]) => address)
    },
  }
}
