/** A node as path rules see it, from a descriptor that nobody has signed. */
import { nodeKeyOf, type PathNode } from '@byway/protocol/directory'
import type { Descriptor } from '@byway/protocol/wire'

/** Node `number`, a relay and an exit; `said` is what its descriptor says besides. */
export function pathNode(number: number, said: Partial<Descriptor> = {}): PathNode {
  const nodeId = new Uint8Array(32).fill(number)
  const key = nodeKeyOf(nodeId)
  const descriptor: Descriptor = { ...NOTHING_SAID, nodeId, ...said }
  return {
    key,
    entry: { key, descriptor, bytes: new Uint8Array() },
    isRelay: true,
    isExit: true,
    isPublic: true,
    attachments: [],
    prefixGroups: [],
    asns: [],
    asnBy: undefined,
    country: '',
    countryBy: undefined,
    isMisplaced: false,
    owners: [],
    stakers: [],
  }
}

const NOTHING_SAID: Omit<Descriptor, 'nodeId'> = {
  sequence: 1,
  publishedS: 0,
  expiresS: 0,
  onionKey: new Uint8Array(32),
  roles: 3,
  exitProfile: 1,
  exitFlags: 0,
  country: '',
  asn: 0,
  familyId: undefined,
  stakerId: undefined,
  provider: undefined,
  priceStep: 0,
  classPrices: { browse: 0, collect: 0 },
  tokenKeysHash: undefined,
  gossipPort: 0,
  addresses: [],
  attachments: [],
  software: '',
}
