/**
 * The client: guards, directory, circuits in stock, tunnels, put together behind the proxy's `Dialer`. This is the only place of the package where
 * they are wired; what each does is in its own file.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { NO_LOG } from '@byway/protocol/base'
import type { Logger } from '@byway/protocol/base'
import {
  lastingFactor,
  nodeKeyOf,
  opensPort,
  toIpAddress,
  unitRandom,
} from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { isBywayError } from '@byway/protocol/base'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { formatAddress } from '@byway/protocol/policy'
import { createControlCircuit } from '../money/control-circuit.ts'
import { createMoney } from '../money/money.ts'
import type { Money } from '../money/money-types.ts'
import type { ByteStream, DatagramFlow, Dialer, DialOptions, Target } from '../proxy/dialer.ts'
import { untilAborted } from './abort.ts'
import { createCircuitSource } from './circuit-source.ts'
import type { BuiltFacts, CircuitSource, PathPlanner } from './circuit-source.ts'
import { createCircuitStock, stockNeed } from './circuit-stock.ts'
import type { CircuitStock } from './circuit-stock.ts'
import type { ClientLink } from './client-link.ts'
import type {
  Client,
  ClientOptions,
  ClientStatus,
  GuardMeasure,
  LostTunnels,
} from './client-types.ts'
import type { ClientTunnelDriver } from './client-tunnel-driver.ts'
import { openDatagramFlow } from './datagram-flow.ts'
import { dialTarget } from './dial-target.ts'
import { directoryNotices } from './directory-notices.ts'
import { createDirectoryKeeper } from './directory-keeper.ts'
import type { DirectoryKeeper } from './directory-keeper.ts'
import { shuffled } from './shuffled.ts'
import { createEntryLinks } from './entry-links.ts'
import type { EntryLinks } from './entry-links.ts'
import { resetError } from './errors.ts'
import { createGuardKeeper } from './guard-keeper.ts'
import type { GuardKeeper } from './guard-keeper.ts'
import { createGuardLinks } from './guard-links.ts'
import type { GuardLinks } from './guard-links.ts'
import { hopFromDescriptor } from './hop-from-descriptor.ts'
import { createNodeMemory } from './node-memory.ts'
import type { NodeMemory } from './node-memory.ts'
import { momentsOf, type NodeScore, scoreNodes, stakeFacts } from './node-score.ts'
import { createNodeWeights, type NodeWeights } from './node-weights.ts'
import { createSeatSets } from './seat-sets.ts'
import type { SeatSets } from './seat-sets.ts'
import { ownObserver } from './own-observer.ts'
import { reportOf } from './path-report.ts'
import { createReach } from './reach.ts'
import type { Reach } from './reach.ts'
import { createRelayWords } from './relay-words.ts'
import { createRoundTrips } from './round-trips.ts'
import { createSparePaths } from './spare-paths.ts'
import type { SparePaths } from './spare-paths.ts'
import { DEFAULT_CLASS } from './tunnel-group.ts'
import { createTunnelPool } from './tunnel-pool.ts'
import type { TunnelPool } from './tunnel-pool.ts'
import type { TunnelRequest } from './tunnel-group.ts'

const nowMs = (): number => Date.now()
const monotonicMs = (): number => performance.now()

/** Creates a client; `start` sets it going. */
export function createClient(options: ClientOptions): Client {
  return new Engine(options)
}

class Engine implements Client {
  readonly #options: ClientOptions
  readonly #log: Logger
  #lost: LostTunnels = { count: 0 }
  readonly #memory: NodeMemory
  readonly #reach: Reach
  readonly #roundTrips = createRoundTrips()
  readonly #relayWords = createRelayWords()
  readonly #guards: GuardKeeper
  readonly #weights: NodeWeights
  readonly #links: GuardLinks
  readonly #entries: EntryLinks
  readonly #directory: DirectoryKeeper
  readonly #source: CircuitSource & PathPlanner
  readonly #spares: SparePaths
  readonly #stock: CircuitStock
  readonly #pool: TunnelPool
  readonly #money: Money | undefined
  readonly #closing = new AbortController()
  readonly seats: SeatSets = this.#createSeats()

  constructor(options: ClientOptions) {
    const { home, network, places } = options
    this.#options = options
    this.#log = options.log ?? NO_LOG
    const random = unitRandom(randomBytes)
    const seen = {
      nodeOf: (key: NodeKey) => this.#directory.nodes.get(key),
      primary: () => this.#guards.primary(),
      log: this.#log,
      monotonicMs,
      nowMs,
    }
    const memory = (this.#memory = createNodeMemory({ ...seen, home }))
    const { uptimes, speeds } = memory
    this.#reach = createReach({ ...seen, uptimes, isSlow: (guard) => speeds.isSlow(guard) })
    const weights = (this.#weights = createNodeWeights({
      nodes: () => this.#directory.nodes,
      recordOf: (key) => memory.records.get(key),
      agreedOf: (key) => speeds.agreedOf(key),
      uptimeOf: (key) => uptimes.get(key),
      ...stakeFacts(options.stakes),
      isElsewhere: (node) => this.#roundTrips.tooNear(node) !== undefined,
      isDouble: (key) => this.#directory.set.evidence().some((each) => each.key === key),
      nowMs,
    }))
    const ownNodes = (): ReadonlySet<NodeKey> => new Set(options.ownNodes?.().map(nodeKeyOf))
    const guardsPath = home && join(home, 'guards.json')
    this.#guards = createGuardKeeper({ path: guardsPath, weights, random, nowMs, ownNodes })
    this.#links = createGuardLinks({
      dial: async (target, signal) => {
        const link = await dialTarget(options.network, target, signal)
        return this.#money?.meter(link, target.key) ?? link
      },
      onOutcome: (key, isUp) => this.#guards.onLink(key, isUp),
      nowMs: monotonicMs,
    })
    this.#entries = createEntryLinks({
      links: this.#links,
      primary: () => this.#reach.guards(),
      nodeOf: (key) => this.#directory.nodes.get(key),
      contacts: shuffled(network.bootstrap, random),
    })
    this.#directory = createDirectoryKeeper({
      provider: nodeCrypto,
      network,
      places,
      cachePath: home && join(home, 'directory.bin'),
      seenPlaceOf: (key) => this.#relayWords.of(key),
      stakes: options.stakes,
      linkToAsk: (asked, signal, turn) => this.#entries.linkToAsk(asked, signal, turn),
      guardBeside: (guard, signal) => this.#entries.guardBeside(guard, signal),
      ...directoryNotices(this.#log),
      nowMs,
      onFetched: () => this.#guards.refresh(this.#directory.nodes),
    })
    this.#directory.set.onAccepted((entry) =>
      memory.onEdition(entry, options.stakes?.stakeAgeMs?.(entry.descriptor)),
    )
    this.#source = this.#createSource(random, ownNodes)
    this.#spares = createSparePaths({ planner: this.#source, nowMs: monotonicMs })
    this.#stock = createCircuitStock({
      source: this.#source,
      need: stockNeed(options),
      onEnded: (path) => this.#reach.onEnded(path),
      nowMs: monotonicMs,
    })
    this.#money = this.#createMoney(random)
    this.#pool = this.#createPool()
  }

  #createSource(
    random: () => number,
    ownNodes: () => ReadonlySet<NodeKey>,
  ): CircuitSource & PathPlanner {
    return createCircuitSource({
      build: { provider: nodeCrypto, randomBytes, hopFromDescriptor },
      directory: this.#directory,
      guards: this.#guards,
      weights: this.#weights,
      observe: (key, observation) => this.#memory.records.observe(key, observation),
      reach: this.#reach,
      hasLevel: (guard) => this.#memory.speeds.hasLevel(guard),
      onBuilt: (path, built) => this.#onBuilt(path, built),
      isElsewhere: (node) => this.#roundTrips.tooNear(node) !== undefined,
      links: this.#links,
      random,
      nowMs,
      ownNodes,
      entryLayer: this.#options.entryLayer ?? false,
      unsafeSingleHop: this.#options.unsafeSingleHop ?? false,
      preferenceOf: (key, place) => this.#money?.hops.preferenceOf(key, place),
      isTooDear: (key, trafficClass) => this.#money?.hops.isTooDear(key, trafficClass) ?? false,
    })
  }

  #createPool(): TunnelPool {
    const money = this.#money
    return createTunnelPool({
      provider: nodeCrypto,
      randomBytes,
      nowMs: monotonicMs,
      source: this.#source,
      stock: this.#stock,
      defaultHops: this.#options.hops,
      defaultClass: this.#options.trafficClass ?? DEFAULT_CLASS,
      opensPort: (exit, port) => opensPort(exit, port, this.#directory.nodes.extraPorts),
      stays: ({ key }, lastsMs) => lastingFactor(this.#memory.uptimes.get(key), lastsMs) === 1,
      onPath: (driver) => this.#options.onPath?.(reportOf(driver)),
      onLost: (cause, streams) => this.#onLost(cause, streams),
      onRefused: (path) => this.#onRefused(path),
      onEnded: (path) => this.#reach.onEnded(path),
      onLeaving: ({ key }) => this.#memory.uptimes.note(key, { type: 'gone', atMs: nowMs() }),
      openPayer: money && ((path, terms, signal) => money.openTunnel(path, terms, signal)),
      isProvided: (path) => money?.isProvided(path) ?? true,
      onTransfer: (path, transfer) => this.#memory.onTransfer(path, transfer),
      onRtt: (path, rttMs) => this.#memory.onRtt(path, rttMs),
    })
  }

  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#guards.load(), this.#memory.load()])
    await this.#directory.start(signal)
    this.#guards.refresh(this.#directory.nodes)
    await this.#money?.start(signal)
    this.#stock.start()
    this.#entries.keepWarm(this.#closing.signal)
    this.#log.info('client ready', { nodes: this.#directory.set.size })
  }

  async connect(target: Target, options: DialOptions): Promise<ByteStream> {
    const { isolation, selection, signal } = options
    const driver = await this.#acquire({ isolation, selection, port: target.port }, signal)
    const stream = driver.connect(target.host, target.port)
    this.#memory.dials.watch(driver, target.host, stream.connected)
    return stream
  }

  async resolve(host: string, options: DialOptions): Promise<readonly string[]> {
    const { isolation, selection, signal } = options
    const driver = await this.#acquire({ isolation, selection, port: undefined }, signal)
    const { reason, addresses } = await untilAborted(driver.resolve(host), signal)
    if (reason !== undefined) throw resetError(reason)
    return addresses.map((address) => formatAddress(toIpAddress(address)))
  }

  async openDatagrams(options: Parameters<Dialer['openDatagrams']>[0]): Promise<DatagramFlow> {
    const { isolation, selection, signal } = options
    const request = { isolation, selection, port: undefined, needsDatagrams: true }
    return openDatagramFlow(await this.#acquire(request, signal), options.onDatagram)
  }

  async giveBack(isAll: boolean): Promise<number> {
    return (await this.#money?.giveBack(isAll)) ?? 0
  }

  async flushBooks(): Promise<void> {
    await this.#money?.flushBooks()
  }

  status(): ClientStatus {
    return {
      ...this.#directory.facts,
      links: this.#links.live.length,
      stock: this.#stock.size,
      lost: this.#lost,
      tunnels: this.#pool.tunnels.map(reportOf),
      money: this.#money?.status,
    }
  }

  /** There may be a newer edition. Until it is here, others come first. */
  #onRefused(path: readonly PathNode[]): void {
    this.#reach.onRefused(path)
    this.#directory.refreshIfOld(this.#closing.signal).catch(() => {})
  }

  #onBuilt(path: readonly PathNode[], { buildMs, seen }: BuiltFacts): void {
    const before = this.#placesOf(path)
    this.#relayWords.onBuilt(path, seen)
    // On one machine countries are made up.
    if (!this.#options.network.local) {
      const own = ownObserver(this.#links.live, this.#directory.nodes.origins)
      this.#roundTrips.onBuilt(path, buildMs, own)
    }
    const after = this.#placesOf(path)
    if (after.some((each, at) => each !== before[at])) this.#weights.workOutSoon()
  }

  /** What circuits have shown of where these nodes are: the same values until that is something else. */
  #placesOf(path: readonly PathNode[]): readonly unknown[] {
    return path.flatMap((node) => [
      this.#relayWords.of(node.key),
      this.#roundTrips.tooNear(node) !== undefined,
    ])
  }

  #onLost(cause: unknown, streams: number): void {
    const { code, context } = isBywayError(cause) ? cause : { code: 'UNKNOWN', context: {} }
    const { hop, reason } = context as { readonly hop?: number; readonly reason?: string }
    this.#lost = { count: this.#lost.count + 1, code, reason, hop }
    this.#log.warn('tunnel lost', { code, reason, position: hop, streams })
  }

  scores(): readonly NodeScore[] {
    const { stakes, trafficClass = DEFAULT_CLASS } = this.#options
    return scoreNodes({
      nodes: () => this.#directory.nodes.list(Date.now()),
      weights: this.#weights,
      recordOf: (key) => this.#memory.records.get(key),
      voicesOf: (key) => this.#memory.speeds.agreedOf(key),
      uptimeOf: (key) => this.#memory.uptimes.get(key),
      tooNear: (node) => this.#roundTrips.tooNear(node),
      linesOf: (nodes) => this.#memory.linesOf(nodes),
      ...stakeFacts(stakes),
      isGuard: (key) => this.#guards.primary().includes(key),
      momentOf: momentsOf(this.#reach, this.#money?.hops, trafficClass),
    })
  }

  measureGuards(): Promise<readonly GuardMeasure[]> {
    const measure = async ({ nodeId, link }: ClientLink): Promise<GuardMeasure> => {
      return { nodeId: nodeKeyOf(nodeId), rttMs: await link.ping() }
    }
    return Promise.all(this.#links.live.map(measure))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#directory.stop()
    this.#stock.stop()
    this.#pool.closeAll()
    await this.#money?.signOff()
    this.#links.closeAll()
    await this.#money?.stop()
    await Promise.all([this.#guards.flush(), this.#memory.flush()])
  }

  async #acquire(request: TunnelRequest, signal: AbortSignal): Promise<ClientTunnelDriver> {
    this.#money?.requireFunds()
    try {
      return await this.#pool.acquire(request, signal)
    } catch (error) {
      // Without a slot to show no hop but those that have one may be on a path.
      const isNoPath = isBywayError(error) && error.code === 'NO_PATH'
      if (isNoPath) this.#money?.requireSlots()
      throw error
    }
  }

  #createMoney(random: () => number): Money | undefined {
    const { network, payment } = this.#options
    if (!network.payment || !payment) return undefined
    return createMoney({
      ...payment,
      parameters: network.payment,
      provider: nodeCrypto,
      ticketCrypto: nodeTicketCrypto,
      blindTokens: nodeBlindTokens,
      randomBytes,
      random,
      source: this.#source,
      nodeOf: (key) => this.#directory.nodes.get(key),
      isGuard: (key) => this.#guards.primary().includes(key),
      nodes: () => this.#directory.nodes.list(Date.now()),
      paths: () => this.#paths(),
      onStopped: (error) => this.#pool.failAll(error),
      onHopFailed: (key) => this.#memory.records.observe(key, { type: 'failure' }),
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
    })
  }

  #createSeats(): SeatSets {
    return createSeatSets({
      nodes: () => this.#directory.nodes.list(nowMs()).filter(isPayee),
      weightOf: (key) => this.#weights.weightOf(key),
      random: unitRandom(randomBytes),
      open: async ({ key }, signal) => {
        const ready = await this.#source.build({ controlled: key }, signal)
        return createControlCircuit({ provider: nodeCrypto, randomBytes }, ready.circuit)
      },
      onWrong: (key) => this.#memory.records.observe(key, { type: 'failure' }),
      nowMs: monotonicMs,
      closing: this.#closing.signal,
    })
  }

  /** Of what runs, of what is about to, and of where tunnels go when a relay dies. */
  #paths(): readonly (readonly PathNode[])[] {
    const { tunnels } = this.#pool
    return [...tunnels.map(({ path }) => path), ...this.#stock.paths, ...this.#spares.of(tunnels)]
  }
}

/** A node that is paid has a view of the chain. */
function isPayee({ entry }: PathNode): boolean {
  return entry.descriptor.provider !== undefined
}
