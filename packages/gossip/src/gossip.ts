/**
 * How descriptors spread among nodes (SPEC §10.4): each is judged before it is passed on, neighbours are drawn from the nodes with a stake, and who sends what is wrong
 * loses its place. Whether a descriptor is right is the judge's to say.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { createAllowance } from './allowance.ts'
import { createHost, type GossipHost } from './create-host.ts'
import { multiaddrOf, nodeIdOf, peerIdOf, type GossipAddress } from './peer-names.ts'

/** `reject` is for what no honest node sends, and counts against who sent it; `ignore` for what is known, old, or cannot be judged now. */
export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/** A node that may be dialled. */
export type GossipPeer = {
  readonly nodeId: Uint8Array
  readonly addresses: readonly GossipAddress[]
  /** No two neighbours that we dialled are of one group: a /16, say. */
  readonly group: string
}

export type GossipOptions = {
  /** Of the network: those of another do not understand us. */
  readonly networkName: string
  /** 32 bytes: the seed of the node's identity key. */
  readonly identitySeed: Uint8Array
  /** @default only dials */
  readonly listen?: GossipAddress | undefined
  /** True for a network on one machine. */
  readonly isLocal: boolean
  readonly maxMessageBytes: number
  /** Judges a message and takes it in. Must not throw. */
  readonly judge: (data: Uint8Array) => GossipVerdict
  /** Says whether a node may be a neighbour: it has a stake. */
  readonly mayJoin: (nodeId: Uint8Array) => boolean
  /** Who may be dialled now. */
  readonly candidates: () => readonly GossipPeer[]
  /** A neighbour has come: it may know what we missed. Must not throw. */
  readonly onNeighbour: (nodeId: Uint8Array) => void
  /** In [0, 1). */
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** Numbers only; `listening` are the neighbours that want our messages. */
export type GossipStatus = { readonly neighbours: number; readonly listening: number }

/** Gossip of a node. Disposing leaves the network. */
export interface Gossip extends AsyncDisposable {
  /** Where it listens. */
  readonly port: number | undefined
  readonly status: GossipStatus
  /** Tells the neighbours. Resolves when it is on its way; what is known to them costs nothing. */
  publish(data: Uint8Array): Promise<void>
  /** Looks for neighbours now instead of in some seconds. */
  lookAround(): void
}

// Local limits (tunable): docs/LIMITS.md.
/** Neighbours that we chose: with eight at random, ten per cent hostile ones surround nobody in 10^8 nodes. */
const DIALLED_NEIGHBOURS = 8
const LOOK_EVERY_MS = 5000
const LOCAL_LOOK_EVERY_MS = 500
/** Where nobody was to be dialled the next look may wait twice as long, up to so long: a small network has fewer nodes than a node wants neighbours. */
const LOCAL_LOOK_MAX_MS = 4000
/** Beyond these a look dials no more at once. */
const DIALS_AT_ONCE = 4
/** A node that did not answer is left alone so long. */
const REST_MS = 30_000
const LOCAL_REST_MS = 2000

/** Starts to listen and to look for neighbours. @throws what listening throws */
export async function startGossip(options: GossipOptions): Promise<Gossip> {
  const topic = `/byway/${options.networkName}/descriptors/1`
  const allowance = createAllowance()
  const { host, port } = await createHost({
    ...options,
    listen: options.listen,
    topic,
    excessOf: (peer) => allowance.excess(peer),
  })
  const { pubsub } = host.services
  pubsub.topicValidators.set(topic, (peer, { data }) => {
    // Too many are not a fault of what they say, but cost their sender its good name.
    if (!allowance.take(peer.toString(), options.nowMs())) return TopicValidatorResult.Ignore
    return RESULTS[options.judge(data)]
  })
  host.addEventListener('peer:connect', ({ detail: peer }) => {
    const nodeId = nodeIdOf(peer)
    if (nodeId) options.onNeighbour(nodeId)
  })
  host.addEventListener('peer:disconnect', ({ detail: peer }) => allowance.forget(peer.toString()))
  pubsub.subscribe(topic)
  const search = keepNeighbours(host, options)
  return {
    port,
    get status() {
      return { neighbours: host.getPeers().length, listening: pubsub.getSubscribers(topic).length }
    },
    async publish(data) {
      await pubsub.publish(topic, data)
    },
    lookAround: search.wake,
    async [Symbol.asyncDispose]() {
      await search.stop()
      await host.stop()
    },
  }
}

const RESULTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const satisfies Record<GossipVerdict, TopicValidatorResult>

/** Dials nodes at random until there are enough neighbours, and drops those whose stake has gone. */
function keepNeighbours(
  host: GossipHost,
  options: GossipOptions,
): { wake: () => void; stop: () => Promise<void> } {
  const ended = new AbortController()
  let woken = new AbortController()
  const rests = new Map<string, number>()
  const [leastMs, mostMs] = options.isLocal
    ? [LOCAL_LOOK_EVERY_MS, LOCAL_LOOK_MAX_MS]
    : [LOOK_EVERY_MS, LOOK_EVERY_MS]
  let everyMs = leastMs
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      woken = new AbortController()
      const dialled = await look(host, options, rests, ended.signal)
      everyMs = dialled > 0 ? leastMs : Math.min(2 * everyMs, mostMs)
      const either = AbortSignal.any([ended.signal, woken.signal])
      await sleep(everyMs * (0.5 + options.random()), undefined, { signal: either }).catch(() => {})
    }
  }
  const running = run()
  return {
    wake() {
      everyMs = leastMs
      woken.abort()
    },
    async stop() {
      ended.abort()
      await running
    },
  }
}

/** Gives how many it dialled. */
async function look(
  host: GossipHost,
  options: GossipOptions,
  rests: Map<string, number>,
  signal: AbortSignal,
): Promise<number> {
  for (const peer of host.getPeers()) {
    const nodeId = nodeIdOf(peer)
    if (nodeId && !options.mayJoin(nodeId)) await host.hangUp(peer).catch(() => {})
  }
  const nowMs = options.nowMs()
  for (const [key, untilMs] of rests) if (untilMs <= nowMs) rests.delete(key)
  const chosen = choose(host, options, rests)
  await Promise.all(
    chosen.map(async ({ nodeId, addresses }) => {
      const peer = peerIdOf(nodeId)
      try {
        await host.dial(
          addresses.map((address) => multiaddrOf(address, peer)),
          { signal },
        )
      } catch {
        const restMs = options.isLocal ? LOCAL_REST_MS : REST_MS
        rests.set(peer.toString(), options.nowMs() + restMs)
      }
    }),
  )
  return chosen.length
}

/** At random among those that are no neighbours, one of each group. */
function choose(
  host: GossipHost,
  { candidates, random }: GossipOptions,
  rests: ReadonlyMap<string, number>,
): readonly GossipPeer[] {
  const dialled = new Set(
    host
      .getConnections()
      .filter(({ direction }) => direction === 'outbound')
      .map(({ remotePeer }) => remotePeer.toString()),
  )
  const missing = Math.min(DIALS_AT_ONCE, DIALLED_NEIGHBOURS - dialled.size)
  if (missing <= 0) return []
  const known = new Set(host.getPeers().map((peer) => peer.toString()))
  const all = candidates().map((peer) => ({ peer, key: peerIdOf(peer.nodeId).toString() }))
  const groups = new Set(all.flatMap(({ peer, key }) => (dialled.has(key) ? peer.group : [])))
  const free = all.filter(({ key }) => !known.has(key) && !rests.has(key))
  const chosen: GossipPeer[] = []
  while (chosen.length < missing && free.length > 0) {
    const [drawn] = free.splice(Math.floor(random() * free.length), 1)
    if (!drawn || groups.has(drawn.peer.group)) continue
    groups.add(drawn.peer.group)
    chosen.push(drawn.peer)
  }
  return chosen
}
