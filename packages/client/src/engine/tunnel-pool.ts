/**
 * Which tunnel a stream goes into: streams with different isolation keys or wishes never share one; streams with the same key share while
 * the tunnel is young, serves the port and has room.
 * @module
 */
import { isBywayError } from '@byway/protocol/base'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { TrafficClass, TunnelTerms } from '@byway/protocol/wire'
import type { Selection } from '../proxy/dialer.ts'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import { delay, untilAborted } from './abort.ts'
import { ClientTunnelDriver } from './client-tunnel-driver.ts'
import type { TunnelDriverDeps } from './tunnel-ports.ts'
import type { CircuitSource, ReadyCircuit } from './circuit-source.ts'
import type { CircuitNeed } from './circuit-need.ts'
import type { CircuitStock } from './circuit-stock.ts'
import { circuitError, clientError } from './errors.ts'
import { lastsMsOf } from './long-streams.ts'
import { rejoinRoute } from './rejoin-route.ts'
import { groupKey, termsAt } from './tunnel-group.ts'
import type { TunnelPayer } from '../money/tunnel-payer.ts'
import type { TunnelRequest } from './tunnel-group.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Tor's MaxCircuitDirtiness: after it a tunnel takes no new streams. */
const MAX_DIRTY_MS = 600_000
/** Below the exit's own limits (128 open, 20 a second, burst 100), so that none is refused there. */
const MAX_STREAMS = 120
const BEGINS_PER_MS = 18 / 1000
const BEGIN_BURST = 90
const MAX_TUNNELS_PER_KEY = 16
const BUSY_WAIT_MS = 100
const IDLE_CLOSE_MS = 120_000
const SWEEP_MS = 30_000
/** Before another try to open a tunnel, where what failed may hold a moment later: hops that are busy or restart, a control circuit that died, a chain that did not answer. An application waits longer for its answer. */
const REOPEN_DELAYS_MS = [150, 400, 800, 1600, 3000] as const
/** Exits that sell no admission before the application is told. */
const MAX_REFUSED = 2
/** Sessions without a tunnel whose exit is remembered; one per request would otherwise fill the memory. The oldest are forgotten. */
const MAX_IDLE_SESSIONS = 4096

export type TunnelPoolDeps = Pick<
  TunnelDriverDeps<ClientTunnelDriver>,
  'provider' | 'randomBytes' | 'nowMs' | 'onLost' | 'onLeaving' | 'onRefused' | 'onRtt'
> & {
  readonly source: CircuitSource
  readonly stock: Omit<CircuitStock, 'paths'>
  /** Hops when the user name does not say. */
  readonly defaultHops: 1 | 2 | 3 | undefined
  /** Traffic class when the user name does not say. Circuits in stock are for it. */
  readonly defaultClass: TrafficClass
  /** True when the exit may serve the port. */
  readonly opensPort: (exit: PathNode, port: number) => boolean
  /** True when a node is likely enough to stay for streams that last so long. */
  readonly stays: (node: PathNode, lastsMs: number) => boolean
  readonly onPath: (driver: ClientTunnelDriver) => void
  /** Told what the nodes of a path have brought. */
  readonly onTransfer: TunnelDriverDeps<ClientTunnelDriver>['onTransfer']
  /** Gets what a tunnel over a path needs to begin; none in a network where nothing is paid. Rejects when the exit sells it to nobody. */
  readonly openPayer?:
    | ((path: readonly PathNode[], terms: TunnelTerms, signal: AbortSignal) => Promise<TunnelPayer>)
    | undefined
  /** True when nothing has to be bought for a tunnel over this path. @default true */
  readonly isProvided?: ((path: readonly PathNode[]) => boolean) | undefined
  /** Told of the path of a leg that somebody ended, whose exit was then reached again. */
  readonly onEnded?: ((path: readonly PathNode[]) => void) | undefined
  /** @default the system's */
  readonly timers?: Timers | undefined
}

/** The tunnels of a client. */
export interface TunnelPool {
  readonly tunnels: readonly ClientTunnelDriver[]
  /** Finds or opens a tunnel with room for one more stream. */
  acquire(request: TunnelRequest, signal: AbortSignal): Promise<ClientTunnelDriver>
  closeAll(): void
  /** Ends every tunnel with this error; new ones may be opened. */
  failAll(error: Error): void
}

/** Creates an empty pool. */
export function createTunnelPool(deps: TunnelPoolDeps): TunnelPool {
  return new Pool(deps)
}

type Member = {
  readonly driver: ClientTunnelDriver
  begins: number
  filledAtMs: number
  idleSinceMs: number
}
/** A circuit, what the tunnel on it is for, and who pays. */
type PaidCircuit = {
  readonly ready: ReadyCircuit
  readonly terms: TunnelTerms
  readonly payer: TunnelPayer | undefined
}
type Group = {
  members: Member[]
  opening: { readonly done: Promise<void>; readonly port: number | undefined } | undefined
  /** A session keeps its exit; the others choose anew. */
  exit: NodeKey | undefined
  exitUntilMs: number
}

class Pool implements TunnelPool {
  readonly #deps: TunnelPoolDeps
  readonly #groups = new Map<string, Group>()
  readonly #timers: Timers
  readonly #closing = new AbortController()
  #cancelSweep: () => void

  constructor(deps: TunnelPoolDeps) {
    this.#deps = deps
    this.#timers = deps.timers ?? systemTimers
    this.#cancelSweep = this.#timers.after(SWEEP_MS, this.#sweep)
  }

  get tunnels(): readonly ClientTunnelDriver[] {
    return [...this.#groups.values()].flatMap(({ members }) => members.map(({ driver }) => driver))
  }

  async acquire(request: TunnelRequest, signal: AbortSignal): Promise<ClientTunnelDriver> {
    const key = groupKey(request, this.#classOf(request.selection))
    for (;;) {
      signal.throwIfAborted()
      if (this.#closing.signal.aborted) throw clientError('CLIENT_CLOSED', {})
      const group = this.#groupOf(key)
      const member = group.members.find((candidate) => this.#hasRoom(candidate, request))
      if (member) {
        member.begins--
        return member.driver
      }
      if (group.members.length >= MAX_TUNNELS_PER_KEY) {
        await delay(BUSY_WAIT_MS, signal, this.#timers)
      } else await this.#open(key, group, request, signal)
    }
  }

  closeAll(): void {
    this.#closing.abort(clientError('CLIENT_CLOSED', {}))
    this.#cancelSweep()
    for (const driver of this.tunnels) driver.close()
    this.#groups.clear()
  }

  failAll(error: Error): void {
    for (const driver of this.tunnels) driver.close(error)
  }

  #groupOf(key: string): Group {
    const known = this.#groups.get(key)
    if (known) return known
    const group: Group = { members: [], opening: undefined, exit: undefined, exitUntilMs: 0 }
    this.#groups.set(key, group)
    return group
  }

  #hasRoom(member: Member, { port, needsDatagrams }: TunnelRequest): boolean {
    const { driver } = member
    const nowMs = this.#deps.nowMs()
    member.begins = Math.min(
      BEGIN_BURST,
      member.begins + (nowMs - member.filledAtMs) * BEGINS_PER_MS,
    )
    member.filledAtMs = nowMs
    const exit = driver.path.at(-1)
    if (driver.isOver || driver.isDraining || !exit) return false
    if (nowMs - driver.openedAtMs > MAX_DIRTY_MS) return false
    if (port !== undefined && needsDatagrams !== true && !this.#deps.opensPort(exit, port))
      return false
    return member.begins >= 1 && driver.useCount < MAX_STREAMS
  }

  /** Opens one more tunnel of a group; those who ask meanwhile wait for the same one, then look again. */
  async #open(
    key: string,
    group: Group,
    request: TunnelRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const opening = group.opening ?? this.#startOpening(key, group, request)
    try {
      await untilAborted(opening.done, signal)
    } catch (error) {
      // It failed for another port: that says nothing about this one.
      if (signal.aborted || opening.port === request.port) throw error
    }
  }

  #startOpening(key: string, group: Group, request: TunnelRequest): NonNullable<Group['opening']> {
    const done = this.#openAtLast(key, group, request).finally(() => (group.opening = undefined))
    return (group.opening = { done, port: request.port })
  }

  async #openAtLast(key: string, group: Group, request: TunnelRequest): Promise<void> {
    for (const delayMs of REOPEN_DELAYS_MS) {
      try {
        await this.#openOne(key, group, request)
        return
      } catch (error) {
        if (this.#closing.signal.aborted || !isPassing(error)) throw error
      }
      await delay(delayMs, this.#closing.signal, this.#timers)
    }
    await this.#openOne(key, group, request)
  }

  async #openOne(key: string, group: Group, request: TunnelRequest): Promise<void> {
    const { ready, terms, payer } = await this.#paidCircuit(group, request)
    if (this.#closing.signal.aborted) ready.circuit.destroy(CLOSE_REASON.FINISHED)
    this.#closing.signal.throwIfAborted()
    const nowMs = this.#deps.nowMs()
    const { provider, randomBytes } = this.#deps
    const lastsMs = lastsMsOf(request.selection, request.port)
    const driver = new ClientTunnelDriver(ready, {
      terms,
      provider,
      randomBytes,
      nowMs: this.#deps.nowMs,
      timers: this.#timers,
      lastsMs,
      rejoin: (dead, rejoinSignal) => this.#rejoin(dead, rejoinSignal),
      onPath: this.#deps.onPath,
      onTransfer: this.#deps.onTransfer,
      onRtt: this.#deps.onRtt,
      onLost: this.#deps.onLost,
      onLeaving: this.#deps.onLeaving,
      onRefused: this.#deps.onRefused,
      onOver: (over) => this.#forget(key, over),
      payer,
    })
    // Its circuit was destroyed in the same breath in which it was built.
    if (driver.isOver) throw circuitError(CLOSE_REASON.LINK_CLOSED)
    group.members.push({ driver, begins: BEGIN_BURST, filledAtMs: nowMs, idleSinceMs: nowMs })
    const { session, lifeMs } = request.selection
    if (session !== undefined && nowMs >= group.exitUntilMs) {
      group.exit = ready.path.at(-1)?.key
      group.exitUntilMs = nowMs + (lifeMs ?? Number.POSITIVE_INFINITY)
    }
  }

  async #rejoin(dead: ClientTunnelDriver, signal: AbortSignal): Promise<ReadyCircuit> {
    const { path, isLinkLost, isDraining, silentLegs } = dead
    const ready = await rejoinRoute(dead, this.#deps.source, this.#timers, signal)
    // Silence and lost links may be this client's own line.
    if (!isLinkLost && !isDraining && silentLegs === 0) this.#deps.onEnded?.(path)
    return ready
  }

  /** A circuit and what admits a tunnel to its exit; another exit is tried when one sells nothing. */
  async #paidCircuit(group: Group, request: TunnelRequest): Promise<PaidCircuit> {
    const { openPayer } = this.#deps
    const refused = new Set<NodeKey>()
    for (;;) {
      const ready = await this.#readyCircuit(group, request, refused)
      try {
        const terms = termsAt(ready.path, this.#classOf(request.selection))
        return { ready, terms, payer: await openPayer?.(ready.path, terms, this.#closing.signal) }
      } catch (error) {
        ready.circuit.destroy(CLOSE_REASON.FINISHED)
        const exit = ready.path.at(-1)
        if (!exit || !isRefusedPay(error) || refused.size >= MAX_REFUSED) throw error
        refused.add(exit.key)
      }
    }
  }

  async #readyCircuit(
    group: Group,
    request: TunnelRequest,
    refused: ReadonlySet<NodeKey>,
  ): Promise<ReadyCircuit> {
    const need = { ...this.#needOf(group, request), excludeNodes: refused }
    const { port } = request
    const { lastsMs } = need
    const isPlain =
      need.country === undefined &&
      need.asn === undefined &&
      need.city === undefined &&
      need.exit === undefined &&
      need.needsDatagrams !== true
    const isDefault =
      need.hops === this.#deps.defaultHops && need.trafficClass === this.#deps.defaultClass
    if (isPlain && isDefault) {
      const fits = ({ path }: ReadyCircuit): boolean => {
        const exit = path.at(-1)
        if (exit === undefined || refused.has(exit.key)) return false
        if (lastsMs !== undefined && !this.#deps.stays(exit, lastsMs)) return false
        return port === undefined || this.#deps.opensPort(exit, port)
      }
      const { stock, isProvided = () => true } = this.#deps
      const inStock =
        stock.take((ready) => fits(ready) && isProvided(ready.path)) ?? stock.take(fits)
      if (inStock) return inStock
    }
    return await this.#deps.source.build(need, this.#closing.signal)
  }

  #needOf(group: Group, { selection, port, needsDatagrams }: TunnelRequest): CircuitNeed {
    const { country, asn, city, hops, session } = selection
    const isPinned = session !== undefined && this.#deps.nowMs() < group.exitUntilMs
    return {
      port: needsDatagrams === true ? undefined : port,
      country,
      asn,
      city,
      hops: hops ?? this.#deps.defaultHops,
      exit: isPinned ? group.exit : undefined,
      needsDatagrams,
      trafficClass: this.#classOf(selection),
      lastsMs: lastsMsOf(selection, port),
    }
  }

  #classOf({ trafficClass }: Selection): TrafficClass {
    return trafficClass ?? this.#deps.defaultClass
  }

  #forget(key: string, driver: ClientTunnelDriver): void {
    const group = this.#groups.get(key)
    if (!group) return
    group.members = group.members.filter((member) => member.driver !== driver)
    if (isUnused(group) && !this.#isPinned(group)) this.#groups.delete(key)
  }

  #isPinned({ exit, exitUntilMs }: Group): boolean {
    return exit !== undefined && this.#deps.nowMs() < exitUntilMs
  }

  readonly #sweep = (): void => {
    this.#cancelSweep = this.#timers.after(SWEEP_MS, this.#sweep)
    const nowMs = this.#deps.nowMs()
    for (const { members } of this.#groups.values()) {
      for (const member of members) {
        if (member.driver.useCount > 0) member.idleSinceMs = nowMs
        else if (nowMs - member.idleSinceMs > IDLE_CLOSE_MS) member.driver.close()
      }
    }
    this.#forgetSessions()
  }

  /** Forgets sessions whose time is over, and the oldest of too many that only remember an exit. */
  #forgetSessions(): void {
    const unused = [...this.#groups].filter(([, group]) => isUnused(group))
    const excess = unused.length - MAX_IDLE_SESSIONS
    for (const [i, [key, group]] of unused.entries()) {
      if (i < excess || !this.#isPinned(group)) this.#groups.delete(key)
    }
  }
}

function isUnused({ members, opening }: Group): boolean {
  return members.length === 0 && !opening
}

function isRefusedPay(error: unknown): boolean {
  return isBywayError(error) && error.code === 'PAYMENT_REFUSED'
}

/** True for what may be over in a moment: no reason to tell the application yet. Pay that was refused is none: three exits have seen a slot by then. */
function isPassing(error: unknown): boolean {
  return isBywayError(error) && PASSING_CODES.has(error.code)
}

const PASSING_CODES: ReadonlySet<string> = new Set([
  'CIRCUIT_FAILED',
  'CHAIN_UNREACHABLE',
  'CHAIN_DISAGREE',
])
