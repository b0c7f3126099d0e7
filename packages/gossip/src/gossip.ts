/**
 * How descriptors spread among nodes (SPEC §10.4): each is judged before it is passed on, neighbours are drawn from the nodes with a stake, and who sends what is wrong
 * loses its place. Whether a descriptor is right is the judge's to say.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { createAllowance } from './allowance.ts'
import { createHost, GREY_SCORE, type GossipHost } from './create-host.ts'
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
/** Who fell behind the grey line stays away so long. */
const SHUT_OUT_MS = 600_000
/** So long a connection may take until it carries gossip. */
const DEAF_MS = 10_000
const LOCAL_DEAF_MS = 1000

/** Starts to listen and to look for neighbours. @throws what listening throws */
export async function startGossip(options: GossipOptions): Promise<Gossip> {
  const topic = `/byway/${options.networkName}/descriptors/1`
  const allowance = createAllowance()
  const memory: Memory = { rests: new Map(), deaf: new Map(), shutOut: new Map() }
  const { host, port } = await createHost({
    ...options,
    mayJoin: (nodeId) =>
      options.mayJoin(nodeId) &&
      (memory.shutOut.get(peerIdOf(nodeId).toString()) ?? 0) <= options.nowMs(),
    listen: options.listen,
    topic,
    excessOf: (peer) => allowance.excess(peer, options.nowMs()),
  })
  const { pubsub } = host.services
  pubsub.topicValidators.set(topic, (peer, { data }) => {
    // Too many are not a fault of what they say, but cost their sender its good name.
    if (!allowance.take(peer.toString(), options.nowMs())) return TopicValidatorResult.Ignore
    // A frame may be longer than a message: nothing is computed of what no node makes.
    if (data.length > options.maxMessageBytes) return TopicValidatorResult.Reject
    return RESULTS[options.judge(data)]
  })
  host.addEventListener('peer:connect', ({ detail: peer }) => {
    const nodeId = nodeIdOf(peer)
    if (nodeId) options.onNeighbour(nodeId)
  })
  host.addEventListener('peer:disconnect', ({ detail: peer }) =>
    allowance.forget(peer.toString(), options.nowMs()),
  )
  pubsub.subscribe(topic)
  const search = keepNeighbours(host, options, memory)
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
  memory: Memory,
): { wake: () => void; stop: () => Promise<void> } {
  const ended = new AbortController()
  let woken = new AbortController()
  const [leastMs, mostMs] = options.isLocal
    ? [LOCAL_LOOK_EVERY_MS, LOCAL_LOOK_MAX_MS]
    : [LOOK_EVERY_MS, LOOK_EVERY_MS]
  let everyMs = leastMs
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      woken = new AbortController()
      const dialled = await look(host, options, memory, ended.signal)
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

/** What is known of peers, by their ids; times as `nowMs`. */
type Memory = {
  /** Until when one is left alone. */
  readonly rests: Map<string, number>
  /** Since when a connection carries no gossip. */
  readonly deaf: Map<string, number>
  /** Until when one is not let in: gossipsub forgets the score of who comes anew. Bounded by the nodes with a stake. */
  readonly shutOut: Map<string, number>
}

const restMs = ({ isLocal }: GossipOptions): number => (isLocal ? LOCAL_REST_MS : REST_MS)

/** Ends the connections of those whose stake has gone, whose score is behind the grey line, and that carry no gossip any more: a stream that broke is not opened again while its connection stands. */
function hangUp(host: GossipHost, options: GossipOptions, { rests, deaf, shutOut }: Memory): void {
  const { pubsub } = host.services
  const nowMs = options.nowMs()
  const talking = new Set(pubsub.getPeers().map((peer) => peer.toString()))
  const connected = host.getPeers()
  const keys = new Set(connected.map((peer) => peer.toString()))
  for (const key of deaf.keys()) if (talking.has(key) || !keys.has(key)) deaf.delete(key)
  for (const peer of connected) {
    const key = peer.toString()
    const nodeId = nodeIdOf(peer)
    const isStaked = nodeId !== undefined && options.mayJoin(nodeId)
    const isGrey = pubsub.getScore(key) < GREY_SCORE
    if (!talking.has(key) && !deaf.has(key)) deaf.set(key, nowMs)
    const isDeaf = nowMs - (deaf.get(key) ?? nowMs) >= (options.isLocal ? LOCAL_DEAF_MS : DEAF_MS)
    if (isStaked && !isGrey && !isDeaf) continue
    rests.set(key, nowMs + (isGrey ? SHUT_OUT_MS : restMs(options)))
    if (isGrey) shutOut.set(key, nowMs + SHUT_OUT_MS)
    // At once: a close that is agreed on waits for the other side.
    for (const connection of host.getConnections(peer)) connection.abort(new Error('hung up'))
  }
}

/** Gives how many it dialled. */
async function look(
  host: GossipHost,
  options: GossipOptions,
  memory: Memory,
  signal: AbortSignal,
): Promise<number> {
  const nowMs = options.nowMs()
  const { rests, shutOut } = memory
  for (const times of [rests, shutOut]) {
    for (const [key, untilMs] of times) if (untilMs <= nowMs) times.delete(key)
  }
  hangUp(host, options, memory)
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
        rests.set(peer.toString(), options.nowMs() + restMs(options))
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
