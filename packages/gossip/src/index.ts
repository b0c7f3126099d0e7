/** Gossip among nodes over libp2p (SPEC §10.4). Clients never join. */
export {
  type Gossip,
  type GossipOptions,
  type GossipPeer,
  type GossipStatus,
  type GossipVerdict,
  startGossip,
} from './gossip.ts'
export { type GossipAddress } from './peer-names.ts'
