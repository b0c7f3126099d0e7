/**
 * The keys of a running node (SPEC §2): the identity from disk, a link key certified for at most 48 h, onion keys that rotate. Hands them out; signs nothing itself.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { createOnionKeys } from '@byway/protocol/circuit'
import type { OnionKeys } from '@byway/protocol/circuit'
import type { SigningKeyPair } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { issueLinkIdentity } from '@byway/net'
import type { LinkIdentity } from '@byway/net'
import { loadIdentity } from './identity-store.ts'

// Protocol constants (change needs a spec change): SPEC §2.
const LINK_KEY_LIFE_S = 48 * 3600
/** A link key starts this much in the past, for neighbours whose clocks are behind. */
const LINK_KEY_SLACK_S = 60

/** The keys of one node. */
export interface NodeKeys {
  readonly identity: SigningKeyPair
  readonly nodeId: Uint8Array
  readonly onionKeys: OnionKeys
  /** The link key of the moment; a new one after half of its life. */
  linkIdentity(): LinkIdentity
}

/** Reads or makes the identity below `home`; the other keys are new. @param wallMs - the wall clock @throws as {@link loadIdentity} */
export async function openNodeKeys(
  home: string,
  wallMs: () => number = Date.now,
): Promise<NodeKeys> {
  const identity = nodeCrypto.ed25519KeyPair(await loadIdentity(home))
  const nodeId = identity.publicKey
  const onionKeys = createOnionKeys({ provider: nodeCrypto, nodeId, randomBytes }, wallMs())
  let current: LinkIdentity | undefined
  let issuedAtS = 0
  return {
    identity,
    nodeId,
    onionKeys,
    linkIdentity() {
      const nowS = Math.floor(wallMs() / 1000)
      const ageS = nowS - issuedAtS
      // A clock that was set back makes the key one of the future, which no neighbour takes.
      if (current && ageS >= 0 && ageS < LINK_KEY_LIFE_S / 2) return current
      issuedAtS = nowS
      current = issueLinkIdentity(nodeCrypto, {
        nodeId,
        identityKey: identity.privateKey,
        linkSeed: new Uint8Array(randomBytes(32)),
        notBeforeS: nowS - LINK_KEY_SLACK_S,
        lifeS: LINK_KEY_LIFE_S - LINK_KEY_SLACK_S,
      })
      return current
    },
  }
}
