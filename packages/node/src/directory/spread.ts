/**
 * Spreads descriptors in a network with a registry (SPEC §10.4): gossip brings what is new, and neighbours are asked over links for what was missed. The set judges; this
 * says what a verdict means for who sent it, and when the own edition goes out: not before its stake can be seen.
 * @module
 */
import { startGossip } from '@byway/gossip'
import type { Gossip, GossipPeer, GossipStatus, GossipVerdict } from '@byway/gossip'
import { toIpAddress } from '@byway/protocol/directory'
import type {
  DescriptorSet,
  OfferResult,
  PathNodeSet,
  StakeSource,
} from '@byway/protocol/directory'
import { formatAddress } from '@byway/protocol/policy'
import { decodeDescriptor, MAX_DESCRIPTOR_BYTES } from '@byway/protocol/wire'
import { nodeError } from '../errors.ts'

export type SpreadDeps = {
  readonly networkName: string
  readonly isLocal: boolean
  readonly identitySeed: Uint8Array
  readonly nodeId: Uint8Array
  /** Where to listen; undefined for a node that only dials. */
  readonly listen: { readonly host: string; readonly port: number } | undefined
  readonly set: DescriptorSet
  readonly nodes: PathNodeSet
  readonly stakes: StakeSource
  /** The own signed descriptor, once there is one. */
  readonly own: () => Uint8Array | undefined
  /** Asks a node over a link for what it knows; any one that has a link when none is named. Must not throw. */
  readonly ask: (nodeId: Uint8Array | undefined) => void
  /** In [0, 1). */
  readonly random: () => number
  /** Wall clock. */
  readonly nowMs: () => number
}

/** The spreading of one node's descriptors. Disposing leaves the network. */
export interface Spread extends AsyncDisposable {
  /** Where gossip listens. */
  readonly port: number | undefined
  readonly status: GossipStatus
}

// Local limits (tunable): docs/LIMITS.md.
/** How often some neighbour is asked for what gossip did not bring. */
const ASK_EVERY_MS = 20_000
const LOCAL_ASK_EVERY_MS = 2000
/** Of so many such questions one goes to any node there is: two halves of a network that was cut have neighbours enough in themselves, and would ask nobody else for ever. */
const ASKS_PER_STRANGER = 3
/** How often is looked whether the own edition can go out. */
const LOOK_EVERY_MS = 500

/** Starts it. @throws NODE_GOSSIP_LISTEN */
export async function startSpread(deps: SpreadDeps): Promise<Spread> {
  const { set, stakes, isLocal } = deps
  let isHearing = false
  const gossip = await listening({
    networkName: deps.networkName,
    identitySeed: deps.identitySeed,
    listen: deps.listen,
    isLocal,
    maxMessageBytes: MAX_DESCRIPTOR_BYTES,
    judge(data) {
      isHearing = true
      const verdict = judgeEdition(set, data, deps.nowMs())
      isHearing = false
      return verdict
    },
    mayJoin: (nodeId) => stakes.view.hasNode(nodeId),
    candidates: () => candidatesOf(deps),
    onNeighbour: (nodeId) => deps.ask(nodeId),
    random: deps.random,
    nowMs: () => performance.now(),
  })
  // What a neighbour told us over a link others may have missed too.
  const stopHearing = set.onAccepted(({ bytes, descriptor }) => {
    const isOwn = Buffer.compare(descriptor.nodeId, deps.nodeId) === 0
    if (!isHearing && !isOwn) void gossip.publish(bytes).catch(() => {})
  })
  const stopWatching = stakes.onChange(() => {
    set.prune(deps.nowMs())
    gossip.lookAround()
  })
  const announce = announcer(deps, gossip)
  const looking = setInterval(announce, LOOK_EVERY_MS).unref()
  let asked = 0
  const asking = setInterval(
    () => deps.ask(++asked % ASKS_PER_STRANGER === 0 ? anyone(deps) : undefined),
    isLocal ? LOCAL_ASK_EVERY_MS : ASK_EVERY_MS,
  ).unref()
  return {
    port: gossip.port,
    get status() {
      return gossip.status
    },
    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      clearInterval(asking)
      stopHearing()
      stopWatching()
      await gossip[Symbol.asyncDispose]()
    },
  }
}

/** @throws NODE_GOSSIP_LISTEN */
async function listening(options: Parameters<typeof startGossip>[0]): Promise<Gossip> {
  try {
    return await startGossip(options)
  } catch (cause) {
    throw nodeError('NODE_GOSSIP_LISTEN', { port: options.listen?.port ?? 0 }, { cause })
  }
}

/** Takes a descriptor in; the proof of a node that signed two editions under one number is passed on once. */
export function judgeEdition(set: DescriptorSet, data: Uint8Array, nowMs: number): GossipVerdict {
  const proofs = set.evidence().length
  const offer = set.offer(data, nowMs)
  return set.evidence().length > proofs ? 'accept' : verdictOf(offer)
}

/** Old, early and unknown editions come from honest nodes too; forged ones do not. */
function verdictOf(offer: OfferResult): GossipVerdict {
  if (offer.result === 'accepted') return 'accept'
  if (offer.result === 'known') return 'ignore'
  return offer.reason === 'MALFORMED' || offer.reason === 'SIGNATURE' ? 'reject' : 'ignore'
}

function candidatesOf({ nodes, nodeId, stakes, nowMs }: SpreadDeps): readonly GossipPeer[] {
  if (!stakes.view.hasNode(nodeId)) return []
  return nodes.list(nowMs()).flatMap(({ entry, prefixGroups }): GossipPeer[] => {
    const { descriptor } = entry
    const { gossipPort: port, addresses } = descriptor
    const isOwn = Buffer.compare(descriptor.nodeId, nodeId) === 0
    if (isOwn || port === 0 || addresses.length === 0) return []
    return [
      {
        nodeId: descriptor.nodeId,
        addresses: addresses.map((each) => ({ host: formatAddress(toIpAddress(each)), port })),
        group: prefixGroups[0] ?? '',
      },
    ]
  })
}

/** Some node with an address, neighbour or not. */
function anyone(deps: SpreadDeps): Uint8Array | undefined {
  const all = candidatesOf(deps)
  return all[Math.floor(deps.random() * all.length)]?.nodeId
}

/** Tells neighbours of each own edition once, when they can see the stake behind it and want to hear. */
function announcer({ own, stakes }: SpreadDeps, gossip: Gossip): () => void {
  let told: Uint8Array | undefined
  let isSeen = false
  return () => {
    const bytes = own()
    if (!bytes || bytes === told || gossip.status.listening === 0) return
    const isStaked = stakes.view.stakeOf(decodeDescriptor(bytes).descriptor) > 0n
    // One look later: neighbours see a new block a little later than we do.
    if (isStaked && isSeen) {
      told = bytes
      void gossip.publish(bytes).catch(() => {})
    }
    isSeen = isStaked
  }
}
