/** Signed descriptors of made-up public relays, each on a network of its own. */
import { concatBytes } from '@byway/protocol/base'
import { SIGNATURE_TAG, signTagged } from '@byway/protocol/crypto'
import type { NetworkParameters } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { type Descriptor, encodeUnsignedDescriptor } from '@byway/protocol/wire'

export const NOW_MS = 1_800_000_000_000

export const NETWORK: NetworkParameters = {
  name: 'test',
  local: false,
  reachablePrefixes: [],
  asnTable: [],
  bootstrap: [],
  exitTargets: [],
}

/** An edition of node `number`; it expires after `lifeS`. Its provider's address is `provider` twenty times. */
export function signedNode(
  number: number,
  lifeS: number = 47 * 3600,
  provider?: number,
  change: Partial<Descriptor> = {},
): Uint8Array {
  const { publicKey, privateKey } = nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(number))
  const unsigned = encodeUnsignedDescriptor({
    nodeId: publicKey,
    sequence: 1,
    publishedS: NOW_MS / 1000,
    expiresS: NOW_MS / 1000 + lifeS,
    onionKey: new Uint8Array(32).fill(9),
    roles: 3,
    exitProfile: 1,
    exitFlags: 0,
    country: '',
    asn: 0,
    familyId: undefined,
    stakerId: undefined,
    provider: provider === undefined ? undefined : new Uint8Array(20).fill(provider),
    priceStep: 0,
    classPrices: { browse: 0, collect: 0 },
    tokenKeysHash: undefined,
    addresses: [{ family: 4, bytes: Uint8Array.of(11, number, 0, 1), port: 443 }],
    gossipPort: 0,
    attachments: [],
    software: '',
    ...change,
  })
  return concatBytes(
    unsigned,
    signTagged(nodeCrypto, privateKey, SIGNATURE_TAG.descriptor, unsigned),
  )
}
