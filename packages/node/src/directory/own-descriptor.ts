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

/** Makes editions whose sequence numbers rise, also across restarts. */
export interface DescriptorMaker {
  make(facts: DescriptorFacts, nowMs: number): Uint8Array
}

/** Creates the maker for one identity. Numbers are seconds of the clock, so that none has to be remembered. */
export function createDescriptorMaker(
  provider: CryptoProvider,
  identity: SigningKeyPair,
): DescriptorMaker {
  let lastSequence = 0
  return {
    make(facts, nowMs) {
      const publishedS = Math.floor(nowMs / 1000)
      lastSequence = Math.max(lastSequence + 1, publishedS)
      const expiresS = publishedS + LIFE_S
      const unsigned = encodeUnsignedDescriptor({
        ...facts,
        nodeId: identity.publicKey,
        sequence: lastSequence,
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
