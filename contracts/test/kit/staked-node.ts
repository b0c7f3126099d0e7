/** A registered node that signs editions of its descriptor, as many under one number as a test wants. */
import { concatBytes } from '@byway/protocol/base'
import { SIGNATURE_TAG, signTagged } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { encodeUnsignedDescriptor, type Descriptor } from '@byway/protocol/wire'
import { bytesToHex, hexToBytes } from 'viem'
import { registerDigest } from './bytes.ts'
import { type Key, keyOf } from './keys.ts'
import { STAKES, type World } from './world.ts'

export type StakedNode = {
  readonly provider: Key
  readonly owner: Key
  readonly nodeId: Uint8Array
  readonly edition: (sequence: number, change?: Partial<Descriptor>) => Uint8Array
}

/** @param number - of the node, below 256 */
export async function createStakedNode(world: World, number: number): Promise<StakedNode> {
  const provider = keyOf(`edition node ${number}`)
  const owner = keyOf(`edition node ${number} owner`)
  const { publicKey, privateKey } = nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(number))
  await world.fund(owner.address, 2n * STAKES.minStake)
  const place = { chainId: 31_337n, contract: world.registry }
  const nodeId = bytesToHex(publicKey)
  const payout = owner.address
  const signature = provider.sign(registerDigest(place, owner.address, nodeId, payout))
  const args = [provider.address, nodeId, payout, STAKES.minStake, signature]
  await world.rpc.send(owner.address, world.inRegistry('register', ...args))
  return {
    provider,
    owner,
    nodeId: publicKey,
    edition(sequence, change = {}) {
      const unsigned = encodeUnsignedDescriptor({
        nodeId: publicKey,
        sequence,
        publishedS: 1_800_000_000,
        expiresS: 1_800_100_000,
        onionKey: new Uint8Array(32).fill(9),
        roles: 1,
        exitProfile: 0,
        exitFlags: 0,
        country: '',
        asn: 0,
        familyId: undefined,
        stakerId: undefined,
        provider: hexToBytes(provider.address),
        priceStep: 0,
        classPrices: { browse: undefined, collect: undefined },
        tokenKeysHash: undefined,
        gossipPort: 0,
        addresses: [{ family: 4, bytes: Uint8Array.of(192, 0, 2, 1), port: 443 }],
        attachments: [],
        software: 'byway/0.1.0',
        ...change,
      })
      const tag = SIGNATURE_TAG.descriptor
      return concatBytes(unsigned, signTagged(nodeCrypto, privateKey, tag, unsigned))
    },
  }
}
