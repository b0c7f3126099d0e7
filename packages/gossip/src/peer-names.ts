/** A node's name in libp2p: its peer id is made of the same Ed25519 key as its node id (SPEC §10.4), so nobody can take another's place. */
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

/** Where a neighbour listens for gossip. */
export type GossipAddress = { readonly host: string; readonly port: number }

/** The peer id of a node. @throws for bytes that are no key */
export function peerIdOf(nodeId: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(nodeId))
}

/** The node id behind a peer id; undefined for a peer whose key is of another kind. */
export function nodeIdOf(peer: PeerId): Uint8Array | undefined {
  return peer.type === 'Ed25519' ? peer.publicKey.raw : undefined
}

/** As libp2p writes an address, with whom to find there. */
export function multiaddrOf({ host, port }: GossipAddress, peer?: PeerId): Multiaddr {
  const family = host.includes(':') ? 'ip6' : 'ip4'
  const whom = peer ? `/p2p/${peer.toString()}` : ''
  return multiaddr(`/${family}/${host}/tcp/${port}${whom}`)
}
