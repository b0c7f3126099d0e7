/**
 * The node's own descriptor (SPEC §10.1): durable facts only, signed by the identity key, a new edition when a fact changes.
 * @module
 */
import { concatBytes } from '@byway/protocol/base'
import { SIGNATURE_TAG, signTagged } from '@byway/protocol/crypto'
import type { CryptoProvider, SigningKeyPair } from '@byway/protocol/crypto'
import { encodeUnsignedDescriptor } from '@byway/protocol/wire'
import type { Descriptor } from '@byway/protocol/wire'

/** SPEC §10.1: at most 48 h; a new onion key makes a new edition every 12 h anyway. */
const LIFE_S = 47 * 3600

/** What a node says of itself; the rest follows from its keys and the time. */
export type DescriptorFacts = Omit<Descriptor, 'nodeId' | 'sequence' | 'publishedS' | 'expiresS'>

/** Makes editions under the numbers it is given. */
export interface DescriptorMaker {
  make(facts: DescriptorFacts, nowMs: number): Uint8Array
}

/** Creates the maker for one identity. @param nextNumber - of an edition made at that second; rises, also across restarts */
export function createDescriptorMaker(
  provider: CryptoProvider,
  identity: SigningKeyPair,
  nextNumber: (nowS: number) => number,
): DescriptorMaker {
  return {
    make(facts, nowMs) {
      const publishedS = Math.floor(nowMs / 1000)
      const expiresS = publishedS + LIFE_S
      const unsigned = encodeUnsignedDescriptor({
        ...facts,
        nodeId: identity.publicKey,
        sequence: nextNumber(publishedS),
        publishedS,
        expiresS,
      })
      return concatBytes(
        unsigned,
        signTagged(provider, identity.privateKey, SIGNATURE_TAG.descriptor, unsigned),
      )
    },
  }
}
