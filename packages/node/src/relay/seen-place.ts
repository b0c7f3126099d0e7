/** Where a relay sees a node that names no address (SPEC §5.4): its country and AS by this relay's tables, and not its address. @module */
import type { NodeKey, PathNodeSet } from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'
import type { SeenPlace } from '@byway/protocol/wire'

const NOTHING: SeenPlace = { country: '', asn: 0 }

/** Nothing of a node whose addresses its descriptor names: a client looks there itself. @param address - from which its link comes */
export function seenPlaceOf(
  nodes: Pick<PathNodeSet, 'get' | 'origins'>,
  key: NodeKey,
  address: string,
): SeenPlace {
  if (nodes.get(key)?.isPublic !== false) return NOTHING
  const parsed = parseAddress(address)
  if (!parsed) return NOTHING
  const { country, asn } = nodes.origins.lookup(parsed)
  return { country, asn }
}
