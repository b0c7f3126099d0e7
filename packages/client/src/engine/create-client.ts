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
  verifyDescriptor,
} from '@byway/protocol/directory'
import type { NetworkParameters, NodeKey, OriginBooks, PathNode } from '@byway/protocol/directory'
import type { HopSpec } from '@byway/protocol/circuit'
import { equalBytes } from '@byway/protocol/base'
import { isBywayError } from '@byway/protocol/base'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { formatAddress } from '@byway/protocol/policy'
import { createControlCircuit } from '../money/control-circuit.ts'
import { createMoney } from '../money/money.ts'
import type { ClientPayment, Money, MoneyStatus } from '../money/money-types.ts'
import type { ByteStream, DatagramFlow, Dialer, DialOptions, Target } from '../proxy/dialer.ts'
import { untilAborted } from './abort.ts'
import { createCircuitSource, targetOf } from './circuit-source.ts'
import type { CircuitSource, PathPlanner } from './circuit-source.ts'
import { createCircuitStock } from './circuit-stock.ts'
import type { CircuitStock } from './circuit-stock.ts'
import type { ClientLink } from './client-link.ts'
import type { ClientTunnelDriver } from './client-tunnel-driver.ts'
import { openDatagramFlow } from './datagram-flow.ts'
import { dialTarget, targetOfBootstrap } from './dial-target.ts'
import { createDirectoryKeeper } from './directory-keeper.ts'
import type { ClientStakes, DirectoryKeeper } from './directory-keeper.ts'
import { clientError, resetError } from './errors.ts'
import { createGuardKeeper } from './guard-keeper.ts'
import type { GuardKeeper } from './guard-keeper.ts'
import { createGuardLinks } from './guard-links.ts'
import type { GuardLinks } from './guard-links.ts'
import { createNodeRecords } from './node-records.ts'
import type { NodeRecords } from './node-records.ts'
import { createNodeUptimes } from './node-uptimes.ts'
import type { NodeUptimes } from './node-uptimes.ts'
import { scoreNodes, type NodeScore, type ScoreDeps } from './node-score.ts'
import { createNodeWeights, type NodeWeights } from './node-weights.ts'
import { createSeatSets } from './seat-sets.ts'
import type { SeatSets } from './seat-sets.ts'
import { createSparePaths } from './spare-paths.ts'
import type { SparePaths } from './spare-paths.ts'
import { createTunnelPool } from './tunnel-pool.ts'
import type { TunnelPool, TunnelRequest } from './tunnel-pool.ts'

export type ClientOptions = {
  readonly network: NetworkParameters
  /** Folder for guards and the last directory; without it the client remembers nothing. */
  readonly home?: string | undefined
  /** The registry's stakes, in a network that has one: without them each signed descriptor counts. */
  readonly stakes?: ClientStakes | undefined
  /** Hops of a circuit when the user name does not say. @default 2, or 3 to an exit without an address */
  readonly hops?: 1 | 2 | 3 | undefined
  /** Ids of the user's own nodes, asked at each choice: no circuit goes through them. @default none */
  readonly ownNodes?: (() => readonly Uint8Array[]) | undefined
  /** Lets `hops: 1` through, which hides nothing. Benches only. @default false */
  readonly unsafeSingleHop?: boolean | undefined
  /** A layer for the entry too (SPEC §6.1). @default false */
  readonly entryLayer?: boolean | undefined
  /** What is known of addresses besides the network's table (docs/PLACE.md): where a node is goes by it. */
  readonly places?: OriginBooks | undefined
  readonly log?: Logger | undefined
  /** What to pay with, in a network whose file says how it is paid. Without it nothing is paid there, and little is served. */
  readonly payment?: ClientPayment | undefined
  /** Told when a tunnel opens and whenever it moves to other relays. */
  readonly onPath?: ((path: PathReport) => void) | undefined
}

/** The nodes that a tunnel runs through, entry first. For the user's own eyes: never logged. */
export type PathReport = {
  readonly hops: readonly {
    readonly nodeId: string
    readonly country: string
    readonly asn: number | undefined
  }[]
  readonly streams: number
  /** How long its streams last, where its nodes were chosen for that. */
  readonly lastsMs?: number | undefined
  /** How often the tunnel has moved since it opened. */
  readonly rejoins: number
  readonly buildMs?: number | undefined
}

/** Tunnels that were given up with streams in them since the start, and why the last one was. */
export type LostTunnels = {
  readonly count: number
  readonly code?: string | undefined
  readonly reason?: string | undefined
  /** Whose fault, from 1; 0 where none is known. */
  readonly hop?: number | undefined
}

export type ClientStatus = {
  readonly nodes: number
  readonly links: number
  readonly stock: number
  readonly lost: LostTunnels
  readonly tunnels: readonly PathReport[]
  /** Undefined where nothing is paid. */
  readonly money: MoneyStatus | undefined
}

/** How far a guard is. */
export type GuardMeasure = {
  readonly nodeId: string
  /** A PING's round trip; undefined when the link closed meanwhile. */
  readonly rttMs: number | undefined
}

/** A running client. */
export interface Client extends Dialer, AsyncDisposable {
  /**
   * Fetches the directory, reaches a guard, fills the stock.
   * @throws DIRECTORY_INCOMPLETE, ENTRY_UNREACHABLE, NO_PATH, CIRCUIT_FAILED, or the signal's reason
   */
  start(signal: AbortSignal): Promise<void>
  status(): ClientStatus
  /** Nodes that tell what the chain says, in a network where something is paid (SPEC §15.9); of use once the client has started. */
  readonly seats: SeatSets
  /** Asks slots back, each at its own time (SPEC §15.8): those that their hops take no more, or all that were shown. Gives how many were not asked for before. */
  giveBack(isAll: boolean): Promise<number>
  /** Tells the ledger of payment all that was counted so far. Resolves when it has it; at once where nothing is paid. */
  flushBooks(): Promise<void>
  /** What this client makes of every node, and of what; the most chosen first. */
  scores(): readonly NodeScore[]
  /** Measures every link to a guard that stands now. Resolves within the time a silent link lives (SPEC §4.5). */
  measureGuards(): Promise<readonly GuardMeasure[]>
}

// Local limits (tunable): docs/LIMITS.md.
const WARM_GUARDS = 2
const WARM_EVERY_MS = 3000

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
  readonly #records: NodeRecords
  readonly #uptimes: NodeUptimes
  readonly #guards: GuardKeeper
  readonly #weights: NodeWeights
  readonly #links: GuardLinks
  readonly #directory: DirectoryKeeper
  readonly #source: CircuitSource & PathPlanner
  readonly #spares: SparePaths
  readonly #stock: CircuitStock
  readonly #pool: TunnelPool
  readonly #money: Money | undefined
  readonly #closing = new AbortController()
  readonly seats: SeatSets = this.#createSeats()
  #warmTimer: NodeJS.Timeout | undefined

  constructor(options: ClientOptions) {
    const { home, network, places } = options
    this.#options = options
    this.#log = options.log ?? NO_LOG
    const random = unitRandom(randomBytes)
    this.#records = createNodeRecords({ path: home && join(home, 'nodes.json'), nowMs })
    this.#uptimes = createNodeUptimes({ path: home && join(home, 'uptimes.json'), nowMs })
    const weights = (this.#weights = createNodeWeights({
      nodes: () => this.#directory.nodes,
      recordOf: (key) => this.#records.get(key),
      uptimeOf: (key) => this.#uptimes.get(key),
      ...stakeFacts(options.stakes),
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
    this.#directory = createDirectoryKeeper({
      provider: nodeCrypto,
      network,
      places,
      cachePath: home && join(home, 'directory.bin'),
      stakes: options.stakes,
      linkToAsk: (asked, signal) => this.#linkToAsk(asked, signal),
      nowMs,
      onFetched: () => this.#guards.refresh(this.#directory.nodes),
    })
    this.#directory.set.onAccepted((entry) => this.#uptimes.onEdition(entry))
    this.#source = createCircuitSource({
      build: { provider: nodeCrypto, randomBytes, hopFromDescriptor },
      directory: this.#directory,
      guards: this.#guards,
      weights,
      observe: (key, observation) => this.#records.observe(key, observation),
      sight: (key, isThere) =>
        this.#uptimes.note(key, isThere ? { type: 'seen', atMs: nowMs() } : { type: 'doubt' }),
      links: this.#links,
      random,
      nowMs,
      ownNodes,
      entryLayer: options.entryLayer ?? false,
      unsafeSingleHop: options.unsafeSingleHop ?? false,
      weightOf: (key, measured, isAhead) => this.#money?.weigh(key, measured, isAhead) ?? measured,
    })
    this.#spares = createSparePaths({ planner: this.#source, nowMs: monotonicMs })
    this.#stock = createCircuitStock({
      source: this.#source,
      need: { port: firstPort(network), hops: options.hops, isAhead: true },
      nowMs: monotonicMs,
    })
    this.#money = this.#createMoney(random)
    this.#pool = this.#createPool()
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
      opensPort: (exit, port) => opensPort(exit, port, this.#directory.nodes.extraPorts),
      stays: ({ key }, lastsMs) => lastingFactor(this.#uptimes.get(key), lastsMs) === 1,
      onPath: (driver) => this.#options.onPath?.(reportOf(driver)),
      onLost: (cause, streams) => this.#onLost(cause, streams),
      onLeaving: ({ key }) => this.#uptimes.note(key, { type: 'gone', atMs: nowMs() }),
      openPayer: money && ((path, signal) => money.openTunnel(path, signal)),
      isProvided: (path) => money?.isProvided(path) ?? true,
      onTransfer: (path, transfer) =>
        path.forEach(({ key }) => this.#records.observe(key, { type: 'transfer', ...transfer })),
    })
  }

  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#guards.load(), this.#records.load(), this.#uptimes.load()])
    await this.#directory.start(signal)
    this.#guards.refresh(this.#directory.nodes)
    await this.#money?.start(signal)
    this.#stock.start()
    this.#keepGuardsWarm()
    this.#warmTimer = setInterval(() => this.#keepGuardsWarm(), WARM_EVERY_MS).unref()
    this.#log.info('client ready', { nodes: this.#directory.set.size })
  }

  async connect(target: Target, options: DialOptions): Promise<ByteStream> {
    const { isolation, selection, signal } = options
    const driver = await this.#acquire({ isolation, selection, port: target.port }, signal)
    return driver.connect(target.host, target.port)
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
      nodes: this.#directory.set.size,
      links: this.#links.live.length,
      stock: this.#stock.size,
      lost: this.#lost,
      tunnels: this.#pool.tunnels.map(reportOf),
      money: this.#money?.status,
    }
  }

  #onLost(cause: unknown, streams: number): void {
    const { code, context } = isBywayError(cause) ? cause : { code: 'UNKNOWN', context: {} }
    const { hop, reason } = context as { readonly hop?: number; readonly reason?: string }
    this.#lost = { count: this.#lost.count + 1, code, reason, hop }
    this.#log.warn('tunnel lost', { code, reason, position: hop, streams })
  }

  scores(): readonly NodeScore[] {
    const { stakes } = this.#options
    return scoreNodes({
      nodes: () => this.#directory.nodes.list(Date.now()),
      weights: this.#weights,
      recordOf: (key) => this.#records.get(key),
      uptimeOf: (key) => this.#uptimes.get(key),
      ...stakeFacts(stakes),
      isGuard: (key) => this.#guards.primary().includes(key),
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
    clearInterval(this.#warmTimer)
    this.#directory.stop()
    this.#stock.stop()
    this.#pool.closeAll()
    await this.#money?.signOff()
    this.#links.closeAll()
    await this.#money?.stop()
    await Promise.all([this.#guards.flush(), this.#records.flush(), this.#uptimes.flush()])
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
      onHopFailed: (key) => this.#records.observe(key, { type: 'failure' }),
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
      onWrong: (key) => this.#records.observe(key, { type: 'failure' }),
      nowMs: monotonicMs,
      closing: this.#closing.signal,
    })
  }

  /** Of what runs, of what is about to, and of where tunnels go when a relay dies. */
  #paths(): readonly (readonly PathNode[])[] {
    const { tunnels } = this.#pool
    return [...tunnels.map(({ path }) => path), ...this.#stock.paths, ...this.#spares.of(tunnels)]
  }

  /** Keeps a second guard's link standing, so that a tunnel whose guard dies moves in one round trip. */
  #keepGuardsWarm(): void {
    const primary = this.#guards.primary()
    const standing = primary.filter((key) => this.#links.get(key)).length
    const missing = primary.filter((key) => !this.#links.get(key) && !this.#links.isResting(key))
    for (const key of missing.slice(0, Math.max(0, WARM_GUARDS - standing))) {
      const node = this.#directory.nodes.get(key)
      // A guard that does not answer has been noted by then; there is nobody to tell.
      if (node) this.#links.connect(targetOf(node), this.#closing.signal).catch(() => {})
    }
  }

  /** A link for the directory: one that stands, a guard's, or a first contact's. */
  async #linkToAsk(asked: readonly ClientLink[], signal: AbortSignal): Promise<ClientLink> {
    const standing = this.#links.live.find((link) => !asked.includes(link))
    if (standing) return standing
    const guards = this.#guards.primary().flatMap((key) => this.#directory.nodes.get(key) ?? [])
    const targets = [
      ...guards.map(targetOf),
      ...this.#options.network.bootstrap.map(targetOfBootstrap),
    ]
    for (const target of targets) {
      try {
        const link = await this.#links.connect(target, signal)
        if (!asked.includes(link)) return link
      } catch {
        signal.throwIfAborted()
      }
    }
    const [again] = asked
    if (again) return again
    throw clientError('ENTRY_UNREACHABLE', { guards: targets.length })
  }
}

/** What the registry's view says of nodes besides their stake. */
function stakeFacts(stakes: ClientStakes | undefined): Pick<ScoreDeps, 'stakeAgeMs' | 'provenOf'> {
  return {
    stakeAgeMs: stakes && ((claim) => stakes.stakeAgeMs?.(claim)),
    provenOf: stakes && ((claim) => stakes.provenOf?.(claim)),
  }
}

/** A node that is paid has a view of the chain. */
function isPayee({ entry }: PathNode): boolean {
  return entry.descriptor.provider !== undefined
}

/** SPEC §5.4: a descriptor that came with STALE_KEY counts only when it is that node's own. */
function hopFromDescriptor(bytes: Uint8Array, expected: HopSpec): HopSpec | undefined {
  const verdict = verifyDescriptor(nodeCrypto, bytes, Date.now())
  if (verdict.result !== 'valid') return undefined
  const { nodeId, onionKey } = verdict.descriptor
  return equalBytes(nodeId, expected.nodeId) ? { nodeId, onionKey } : undefined
}

/** The port that circuits in stock must serve: the web's, or in a local network that of its only target. */
function firstPort(network: NetworkParameters): number {
  return network.exitTargets[0]?.port ?? 443
}

function reportOf(driver: ClientTunnelDriver): PathReport {
  const hops = driver.path.map(({ key, country, asns }) => ({ nodeId: key, country, asn: asns[0] }))
  const { useCount: streams, rejoins, lastsMs } = driver
  return { hops, streams, rejoins, ...(lastsMs === undefined ? {} : { lastsMs }) }
}
