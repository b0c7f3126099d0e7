/** The libp2p host of a node: TCP, Noise, Yamux, gossipsub, identify and ping, with limits. Nothing here knows what is spread. */
import { createHash } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub, type GossipSub, type GossipSubComponents } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p, PeerId, ServiceMap } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { multiaddrOf, nodeIdOf, type GossipAddress } from './peer-names.ts'

export type HostOptions = {
  /** 32 bytes: the seed of the node's identity key. */
  readonly identitySeed: Uint8Array
  readonly listen: GossipAddress | undefined
  /** True for a network on one machine, where all neighbours have one address. */
  readonly isLocal: boolean
  readonly topic: string
  /** Says whether a node may be a neighbour. */
  readonly mayJoin: (nodeId: Uint8Array) => boolean
  /** What a neighbour sent over its allowance. */
  readonly excessOf: (peer: string) => number
}

/** A neighbour with a lower score is not heard, and loses its link. */
export const GREY_SCORE = -40

/** Its score is no part of the interface that the library names. */
type Pubsub = GossipSub & { getScore(peer: string): number }
type Services = ServiceMap & { readonly pubsub: Pubsub }
export type GossipHost = Libp2p<Services>

// Local limits (tunable): docs/LIMITS.md.
/** Some times the neighbours that a node keeps: those who come beyond that find others. */
const MAX_CONNECTIONS = 64
/** Of a network on one machine, where all come from one address. */
const LOCAL_CONNECTIONS_PER_S = 1000
const MAX_PENDING = 32
const DIAL_TIMEOUT_MS = 5000
/** A neighbour that is silent is noticed within twice that. */
const PING_EVERY_MS = 20_000
/** Neighbours at one address beyond this weigh against each other. */
const MAX_AT_ONE_ADDRESS = 3
/** A whole frame: the ids of a burst (5000 of 34 bytes), or 512 descriptors of 400 bytes in answer to them. All connections together hold 16 MiB at most; a longer frame ends the stream. */
const MAX_FRAME_BYTES = 256 * 1024
/** Of a frame: what one asks for after a burst comes in one. */
const RPC_LIMITS = {
  maxSubscriptions: 8,
  maxMessages: 512,
  maxIhaveMessageIDs: 5000,
  maxIwantMessageIDs: 5000,
  maxIdontwantMessageIDs: 512,
  maxControlMessages: 512,
  maxPeerInfos: 0,
} as const

/** Makes and starts the host. @throws what listening throws */
export async function createHost(
  options: HostOptions,
): Promise<{ readonly host: GossipHost; readonly port: number | undefined }> {
  const { listen, isLocal } = options
  let port: number | undefined
  const host = await createLibp2p<Services>({
    privateKey: await generateKeyPairFromSeed('Ed25519', options.identitySeed),
    addresses: {
      listen: listen ? [multiaddrOf(listen).toString()] : [],
      // Where we are reached is in our descriptor; the addresses of this machine are nobody's business.
      announceFilter: (own) => {
        port = Number(own[0]?.toString().split('/')[4]) || undefined
        return []
      },
    },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxIncomingPendingConnections: MAX_PENDING,
      dialTimeout: DIAL_TIMEOUT_MS,
      ...(isLocal ? { inboundConnectionThreshold: LOCAL_CONNECTIONS_PER_S } : {}),
    },
    connectionMonitor: { pingInterval: PING_EVERY_MS },
    connectionGater: {
      denyDialMultiaddr: () => false,
      denyDialPeer: (peer) => isStranger(peer, options),
      denyInboundEncryptedConnection: (peer) => isStranger(peer, options),
    },
    services: { identify: identify(), ping: ping(), pubsub: pubsubOf(options) },
  })
  // Asks the filter, which sees where the transport listens.
  host.getMultiaddrs()
  return { host, port }
}

function isStranger(peer: PeerId, { mayJoin }: HostOptions): boolean {
  const nodeId = nodeIdOf(peer)
  return !nodeId || !mayJoin(nodeId)
}

function pubsubOf(options: HostOptions): (parts: GossipSubComponents) => Pubsub {
  const { topic, isLocal } = options
  const make = gossipsub({
    // A descriptor is signed by its node; who passes it on is not said.
    globalSignaturePolicy: 'StrictNoSign',
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    doPX: false,
    allowedTopics: [topic],
    maxInboundDataLength: MAX_FRAME_BYTES,
    maxTopicBytesPerPeer: 8192,
    decodeRpcLimits: RPC_LIMITS,
    // Of every byte: a copy with a spoiled signature must not be what a good one is judged by, nor tell against who forwards it.
    msgIdFn: ({ data }) => new Uint8Array(createHash('sha256').update(data).digest()),
    scoreThresholds: {
      gossipThreshold: -10,
      publishThreshold: -20,
      graylistThreshold: GREY_SCORE,
      acceptPXThreshold: 1000,
    },
    scoreParams: {
      topics: { [topic]: TOPIC_SCORE },
      appSpecificScore: (peer) => -options.excessOf(peer),
      appSpecificWeight: 0.1,
      IPColocationFactorThreshold: MAX_AT_ONE_ADDRESS,
      IPColocationFactorWeight: isLocal ? 0 : -10,
    },
  })
  return (parts) => make(parts) as Pubsub
}

/** Two invalid messages put a neighbour behind the grey line. Editions are too few to count those that did not come. */
const TOPIC_SCORE = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 100,
  firstMessageDeliveriesWeight: 0.1,
  firstMessageDeliveriesDecay: 0.99,
  firstMessageDeliveriesCap: 50,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 1000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -15,
  invalidMessageDeliveriesDecay: 0.97,
} as const
