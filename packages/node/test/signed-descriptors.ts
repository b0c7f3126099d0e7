/** Signed descriptors of made-up nodes, as they would come from the network. */
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createDescriptorMaker } from '../src/directory/own-descriptor.ts'
import type { DescriptorFacts } from '../src/directory/own-descriptor.ts'

export const NOW_MS = 1_800_000_000_000

export const RELAY_FACTS: DescriptorFacts = {
  onionKey: new Uint8Array(32).fill(9),
  roles: 1,
  exitProfile: 0,
  exitFlags: 0,
  country: '',
  asn: 0,
  familyId: undefined,
  stakerId: undefined,
  provider: undefined,
  priceStep: 0,
  classPrices: { browse: undefined, collect: undefined },
  tokenKeysHash: undefined,
  addresses: [{ family: 4, bytes: Uint8Array.of(192, 0, 2, 1), port: 443 }],
  gossipPort: 0,
  attachments: [],
  software: '',
}

/** The first edition of a node with this number. */
export function signedDescriptor(number: number): Uint8Array {
  return makerOf(number).make(RELAY_FACTS, NOW_MS)
}

export function makerOf(number: number): ReturnType<typeof createDescriptorMaker> {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number)
  let last = 0
  return createDescriptorMaker(
    nodeCrypto,
    nodeCrypto.ed25519KeyPair(seed),
    (nowS) => (last = Math.max(last + 1, nowS)),
  )
}
