/** Where this client is, for its own eyes: by the address under which its guards see it. One alone is not believed. @module */
import { type OriginSource, toIpAddress } from '@byway/protocol/directory'
import { formatAddress } from '@byway/protocol/policy'
import type { ClientLink } from './client-link.ts'
import { SELF, type Observer } from './round-trips.ts'

const WITNESSES = 2

/** Undefined while no two guards agree, or no table knows the address. */
export function ownObserver(
  links: readonly Pick<ClientLink, 'nodeId' | 'seenAs'>[],
  origins: OriginSource,
): Observer | undefined {
  const counts = new Map<string, number>()
  for (const { seenAs } of links) {
    if (!seenAs) continue
    const address = toIpAddress(seenAs)
    const text = formatAddress(address)
    const count = (counts.get(text) ?? 0) + 1
    counts.set(text, count)
    if (count < WITNESSES) continue
    const { country, countryBy } = origins.lookup(address)
    return countryBy && { key: SELF, country, by: countryBy }
  }
  return undefined
}
