/** Nodes with keys from a number, for tests. */
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { issueLinkIdentity, type LinkIdentity } from '@byway/net'

export type TestNode = {
  readonly nodeId: Uint8Array
  identity(notBeforeS?: number, lifeS?: number): LinkIdentity
}

export function testNode(number: number): TestNode {
  const pair = nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(number))
  return {
    nodeId: pair.publicKey,
    identity: (notBeforeS = Math.floor(Date.now() / 1000) - 60, lifeS) =>
      issueLinkIdentity(nodeCrypto, {
        nodeId: pair.publicKey,
        identityKey: pair.privateKey,
        linkSeed: new Uint8Array(32).fill(number + 100),
        notBeforeS,
        lifeS,
      }),
  }
}
