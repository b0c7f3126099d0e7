/**
 * Ready circuits on request: chooses a path, reaches the guard, builds, and tries another path when a hop fails (SPEC §5, §10.3). Learns from each outcome.
 * Keeping circuits in stock and what they carry is elsewhere.
 * @module
 */
import { choosePath, takesClass, toIpAddress } from '@byway/protocol/directory'
import type {
  DirectoryEntry,
  Doubter,
  NodeKey,
  Observation,
  PathNode,
  PathRequest,
  PathRule,
} from '@byway/protocol/directory'
import { formatAddress } from '@byway/protocol/policy'
import type { HopSpec } from '@byway/protocol/circuit'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason, TrafficClass } from '@byway/protocol/wire'
import { buildCircuit } from './build-circuit.ts'
import type { BuildDeps, BuildFailure, BuiltCircuit } from './build-circuit.ts'
import type { ClientLink } from './client-link.ts'
import type { DirectoryKeeper } from './directory-keeper.ts'
import { circuitError, clientError } from './errors.ts'
import type { ClientError } from './errors.ts'
import type { GuardKeeper } from './guard-keeper.ts'
import type { GuardLinks, GuardTarget } from './guard-links.ts'
import type { NodeWeights } from './node-weights.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Paths tried for one circuit before the caller is told. */
const MAX_ATTEMPTS = 6
/** What a node that was not there a moment ago counts: it is taken where nobody else will do. */
const ABSENT_FACTOR = 1e-6

/** What the last hop must offer, and who must not be on the path. */
export type CircuitNeed = PathRequest & {
  /** Nobody waits for it: hops that can be paid only in a while will do. */
  readonly isAhead?: boolean | undefined
  /** How long its streams last, where that is long: hops that are likely to stay are preferred. */
  readonly lastsMs?: number | undefined
}

/** A circuit with the nodes it runs through, entry first. */
export type ReadyCircuit = { readonly circuit: BuiltCircuit; readonly path: readonly PathNode[] }

/** What a node is weighed for. */
export type PathPlace = {
  /** Nobody waits for the circuit. */
  readonly isAhead: boolean
  /** Of the tunnel, at its exit; undefined for a middle: it knows of no class. */
  readonly trafficClass: TrafficClass | undefined
}

/** What a circuit shows when it is built. */
export type BuiltFacts = Pick<BuiltCircuit, 'buildMs' | 'seen'>

/** Builds circuits. */
export interface CircuitSource {
  /** @throws NO_PATH, EXIT_CLASS, CIRCUIT_FAILED, ENTRY_UNREACHABLE, DIRECTORY_INCOMPLETE, or the signal's reason */
  build(need: CircuitNeed, signal: AbortSignal): Promise<ReadyCircuit>
}

/** Chooses paths without building. */
export interface PathPlanner {
  /** A path that `build` might take now, entry first; undefined when there is none. */
  plan(need: CircuitNeed): readonly PathNode[] | undefined
}

export type CircuitSourceDeps = {
  readonly build: BuildDeps
  readonly directory: DirectoryKeeper
  readonly guards: GuardKeeper
  readonly weights: Pick<NodeWeights, 'weightOf'>
  /** Told of each circuit that was built or failed. */
  readonly observe: (key: NodeKey, observation: Observation) => void
  /** Told of each node of a circuit that was built. */
  readonly reached: (key: NodeKey) => void
  /** Told of a node that a circuit did not reach, and who says so: the hop before it, this client, or itself when it stops. */
  readonly missed: (key: NodeKey, by: Doubter) => void
  /** True for a node that a circuit did not reach lately. @default none is */
  readonly isAbsent?: ((key: NodeKey) => boolean) | undefined
  /** Told how long a circuit over these nodes took, and where each hop sees the next. */
  readonly onBuilt?: ((path: readonly PathNode[], built: BuiltFacts) => void) | undefined
  /** True for a node that is not where it says: nobody who asks for that country gets it. @default none is */
  readonly isElsewhere?: ((node: PathNode) => boolean) | undefined
  readonly links: GuardLinks
  readonly random: () => number
  /** Wall clock. */
  readonly nowMs: () => number
  readonly ownNodes: () => ReadonlySet<NodeKey>
  readonly entryLayer: boolean
  readonly unsafeSingleHop: boolean
  /** What a node weighs on a path, given its weight in the network. @default that weight */
  readonly weightOf?: ((key: NodeKey, measured: number, place: PathPlace) => number) | undefined
}

/** Creates the source. */
export function createCircuitSource(deps: CircuitSourceDeps): CircuitSource & PathPlanner {
  return new Source(deps)
}

class Source implements CircuitSource, PathPlanner {
  readonly #deps: CircuitSourceDeps

  constructor(deps: CircuitSourceDeps) {
    this.#deps = deps
  }

  async build(need: CircuitNeed, signal: AbortSignal): Promise<ReadyCircuit> {
    await this.#requireDirectory(signal)
    const failed = new Set<NodeKey>(need.excludeNodes)
    let lastError: Error | undefined
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const path = await this.#choose({ ...need, excludeNodes: failed }, lastError, signal)
      const outcome = await this.#tryPath(path, signal)
      if ('circuit' in outcome) return outcome
      failed.add(outcome.blamed)
      lastError = outcome.error
    }
    throw lastError ?? clientError('ENTRY_UNREACHABLE', { guards: 0 })
  }

  plan(need: CircuitNeed): readonly PathNode[] | undefined {
    const path = this.#path(need)
    return path.result === 'path' ? path.hops : undefined
  }

  /** A set that is too small is looked for again, once in a while. @throws DIRECTORY_INCOMPLETE */
  async #requireDirectory(signal: AbortSignal): Promise<void> {
    const { directory } = this.#deps
    if (!directory.isComplete) await directory.refreshIfOld(signal)
    directory.requireComplete()
  }

  async #choose(request: CircuitNeed, lastError: Error | undefined, signal: AbortSignal) {
    const first = this.#path(request)
    if (first.result === 'path') return first.hops
    // A node may have joined since the directory was fetched: look again, once in a while.
    if (await this.#deps.directory.refreshIfOld(signal)) {
      const second = this.#path(request)
      if (second.result === 'path') return second.hops
    }
    throw lastError ?? this.#noPath(first.rule, request)
  }

  #noPath(rule: PathRule, { trafficClass }: CircuitNeed): ClientError {
    if (rule !== 'EXIT_CLASS' || !trafficClass) return clientError('NO_PATH', { rule })
    const nodes = this.#deps.directory.nodes.list(this.#deps.nowMs())
    const exits = nodes.filter((node) => takesClass(node, trafficClass)).length
    return clientError('EXIT_CLASS', { trafficClass, exits })
  }

  #path(request: CircuitNeed) {
    const { directory, guards, random, unsafeSingleHop } = this.#deps
    const nowMs = this.#deps.nowMs()
    return choosePath({
      set: directory.nodes,
      guards: preferStanding(guards.entries(nowMs), this.#deps.links),
      request,
      weightOf: (key, isExit) => this.#weigh(key, request, isExit),
      random,
      nowMs,
      unsafeSingleHop,
      ownNodes: this.#deps.ownNodes(),
    })
  }

  /** The one exit that will do is chosen whatever it weighs; nobody on the way of a control circuit is paid. */
  #weigh(key: NodeKey, need: CircuitNeed, isExit: boolean): number {
    const { exit, controlled, isAhead = false, lastsMs, country } = need
    const { weights, weightOf, directory, isElsewhere } = this.#deps
    if (country !== undefined && exit === undefined) {
      const node = directory.nodes.get(key)
      if (node?.country === country && isElsewhere?.(node)) return 0
    }
    const isLast = key !== exit && this.#deps.isAbsent?.(key) === true
    const measured = weights.weightOf(key, lastsMs) * (isLast ? ABSENT_FACTOR : 1)
    if (key === exit || controlled !== undefined || !weightOf) return measured
    return weightOf(key, measured, {
      isAhead,
      trafficClass: isExit ? need.trafficClass : undefined,
    })
  }

  async #tryPath(
    path: readonly PathNode[],
    signal: AbortSignal,
  ): Promise<ReadyCircuit | { readonly blamed: NodeKey; readonly error: Error }> {
    const [entry] = path
    if (!entry) throw clientError('NO_PATH', { rule: 'GUARD' })
    let link: ClientLink
    try {
      link = await this.#deps.links.connect(targetOf(entry), signal)
    } catch {
      signal.throwIfAborted()
      this.#deps.missed(entry.key, 'self')
      return { blamed: entry.key, error: clientError('ENTRY_UNREACHABLE', { guards: 1 }) }
    }
    const hops = path.map(hopOf)
    const { entryLayer } = this.#deps
    const built = await buildCircuit(this.#deps.build, link, hops, { entryLayer, signal })
    if ('type' in built) return this.#onFailed(path, built)
    for (const { key } of path) {
      this.#deps.observe(key, { type: 'success' })
      this.#deps.reached(key)
    }
    this.#deps.onBuilt?.(path, built)
    return { circuit: built, path }
  }

  #onFailed(path: readonly PathNode[], failure: BuildFailure) {
    const { hopIndex, reason } = failure
    // A node without an address names more relays than it is attached to: another of them may reach it.
    const blamed = path[reason === CLOSE_REASON.NOT_ATTACHED ? hopIndex - 1 : hopIndex] ?? path[0]
    if (!blamed) throw circuitError(reason)
    if (!HARMLESS_REASONS.has(reason)) {
      this.#deps.observe(blamed.key, { type: 'failure' })
    }
    if (ABSENT_REASONS.has(reason)) this.#deps.missed(blamed.key, doubterOf(path, failure))
    return { blamed: blamed.key, error: circuitError(reason, hopIndex + 1) }
  }
}

/** A busy, restarting or unattached node is left out of this circuit, but nothing is wrong with it. */
const HARMLESS_REASONS: ReadonlySet<CloseReason> = new Set([
  CLOSE_REASON.RESOURCE_LIMIT,
  CLOSE_REASON.DRAINING,
  CLOSE_REASON.NOT_ATTACHED,
])

/** After these the node that is blamed may have gone. */
const ABSENT_REASONS: ReadonlySet<CloseReason> = new Set([
  CLOSE_REASON.CONNECT_FAILED,
  CLOSE_REASON.LINK_CLOSED,
  CLOSE_REASON.TIMEOUT,
  CLOSE_REASON.DRAINING,
])

/** A hop says under its own authentication that it stops. That it is not there another says. */
function doubterOf(
  path: readonly PathNode[],
  { hopIndex, reportedBy, reason }: BuildFailure,
): Doubter {
  const isOwnWord = reason === CLOSE_REASON.DRAINING && reportedBy === hopIndex
  return path[isOwnWord ? hopIndex : hopIndex - 1]?.key ?? 'self'
}

/** Guards with a link first: among primary guards any is as good, and a dead one would cost a dial's time. One that stops comes last. */
function preferStanding(guards: readonly NodeKey[], links: GuardLinks): readonly NodeKey[] {
  const rankOf = (key: NodeKey): number => {
    const link = links.get(key)
    if (!link) return 1
    return link.isDraining ? 2 : 0
  }
  return guards.toSorted((a, b) => rankOf(a) - rankOf(b))
}

/** What to dial for a node of the directory. */
export function targetOf({ entry }: PathNode): GuardTarget {
  return targetOfEntry(entry)
}

/** The same for any entry of the directory. */
export function targetOfEntry({ key, descriptor }: DirectoryEntry): GuardTarget {
  const { nodeId, addresses } = descriptor
  const texts = addresses.map((each) => ({
    address: formatAddress(toIpAddress(each)),
    port: each.port,
  }))
  return { key, nodeId, addresses: texts }
}

function hopOf({ entry }: PathNode): HopSpec {
  const { nodeId, onionKey } = entry.descriptor
  return { nodeId, onionKey }
}
