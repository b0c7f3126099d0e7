/**
 * Ready circuits on request: chooses a path, reaches the guard, builds, and tries another path when a hop fails (SPEC §5, §10.3). Learns from each outcome.
 * Keeping circuits in stock and what they carry is elsewhere.
 * @module
 */
import { choosePath, mayShareCircuit, NO_MOMENT, toIpAddress } from '@byway/protocol/directory'
import type {
  DirectoryEntry,
  Doubter,
  Moment,
  NodeKey,
  Observation,
  PathInput,
  PathNode,
  PathResult,
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
import type { GuardKeeper } from './guard-keeper.ts'
import type { GuardLinks, GuardTarget } from './guard-links.ts'
import { besideFirst, ONE_IN_BESIDE, preferStanding } from './guard-order.ts'
import { noPathError, type IsTooDear } from './no-path.ts'
import type { NodeWeights } from './node-weights.ts'
import { createPathTries } from './path-tries.ts'
import type { PathTries } from './path-tries.ts'
import type { Reach } from './reach.ts'
import type { CircuitNeed } from './circuit-need.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Paths tried for one circuit before the caller is told; an exit that is gone takes two. */
const MAX_ATTEMPTS = 12
/** What a node that was not there a moment ago counts: it is taken where nobody else will do. */
export const ABSENT_FACTOR = 1e-6

/** @param isBeside - it shall begin at another guard than the first, if one stands */
type Wish = CircuitNeed & { readonly isBeside?: boolean | undefined }

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
  /** @throws NO_PATH, EXIT_CLASS, EXIT_PRICE, CIRCUIT_FAILED, ENTRY_UNREACHABLE, DIRECTORY_INCOMPLETE, DIRECTORY_OLD, or the signal's reason */
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
  /** What circuits have shown of who is there; told of each node that one reached or missed. */
  readonly reach: Pick<Reach, 'reached' | 'missed' | 'absent' | 'trials' | 'isSuspect'>
  /** True once there is something to confirm of what was measured behind a guard. @default nothing is measured */
  readonly hasLevel?: ((guard: NodeKey) => boolean) | undefined
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
  /** How much a payer prefers a node among those that it pays; undefined for one that asks nothing. @default nobody is paid */
  readonly preferenceOf?: ((key: NodeKey, place: PathPlace) => number | undefined) | undefined
  /** Absent where nothing is paid. */
  readonly isTooDear?: IsTooDear | undefined
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
    const tries = this.#newTries(need)
    const wish = { ...need, isBeside: this.#drawBeside(need) }
    let lastError: Error | undefined
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const path = await this.#choose(wish, tries, lastError, signal)
      const outcome = await this.#tryPath(path, tries, signal)
      if ('circuit' in outcome) return outcome
      lastError = outcome.error
    }
    throw lastError ?? clientError('ENTRY_UNREACHABLE', { guards: 0 })
  }

  plan(need: CircuitNeed): readonly PathNode[] | undefined {
    const path = this.#path(need, this.#newTries(need))
    return path.result === 'path' ? path.hops : undefined
  }

  /** What is asked of one node, or of a service, is measured at no exit that was drawn. */
  #drawBeside({ exit, controlled }: CircuitNeed): boolean {
    const { hasLevel, random } = this.#deps
    const isDrawn = exit === undefined && controlled === undefined
    return hasLevel !== undefined && isDrawn && random() * ONE_IN_BESIDE < 1
  }

  #newTries({ excludeNodes }: CircuitNeed): PathTries {
    const { absent, trials } = this.#deps.reach
    return createPathTries({
      excludeNodes,
      isAbsent: (key) => absent.isAbsent(key),
      areApart: mayShareCircuit,
      onTrial: (guard, trial) => trials.note(guard, trial),
    })
  }

  /** A set that is too small or too old is looked for again, once in a while. @throws DIRECTORY_INCOMPLETE, DIRECTORY_OLD */
  async #requireDirectory(signal: AbortSignal): Promise<void> {
    const { directory } = this.#deps
    if (!directory.isComplete) await directory.refreshIfOld(signal)
    directory.requireComplete()
  }

  async #choose(need: Wish, tries: PathTries, lastError: Error | undefined, signal: AbortSignal) {
    const first = this.#path(need, tries)
    if (first.result === 'path') return first.hops
    // A node may have joined since the directory was fetched: look again, once in a while.
    if (await this.#deps.directory.refreshIfOld(signal)) {
      const second = this.#path(need, tries)
      if (second.result === 'path') return second.hops
    }
    const { directory, isTooDear, nowMs } = this.#deps
    throw (
      lastError ??
      noPathError(first.rule, need, { set: directory.nodes, isTooDear, nowMs: nowMs() })
    )
  }

  /** What hops said of those after them holds as long as there is a path around it. */
  #path(need: Wish, tries: PathTries): PathResult {
    const { absent } = this.#deps.reach
    const by = (isStrict: boolean): PathResult =>
      this.#pathBy(need, tries, (from, to) => {
        return tries.mayReach(from, to, isStrict) && !absent.isAbsentFor(to, from)
      })
    do {
      const apart = by(true)
      if (apart.result === 'path') return apart
      const around = by(false)
      if (around.result === 'path') {
        tries.takeOneGuard()
        return around
      }
    } while (tries.release())
    const any = this.#pathBy(need, tries, undefined)
    if (any.result === 'path' || !tries.restore()) return any
    // The one exit that will do is left, over hops whose word is from before these tries.
    return this.#pathBy(need, tries, (from, to) => tries.mayReach(from, to, false))
  }

  #pathBy(need: Wish, tries: PathTries, mayReach: PathInput['mayReach']): PathResult {
    const { directory, guards, random, unsafeSingleHop } = this.#deps
    const nowMs = this.#deps.nowMs()
    return choosePath({
      set: directory.nodes,
      guards: this.#ordered(guards.entries(nowMs), need),
      request: { ...need, excludeNodes: tries.excluded },
      weightOf: (key, isExit) => (tries.allows(key, isExit) ? this.#weigh(key, need) : 0),
      momentOf: (key, isExit) => this.#moment(key, need, isExit),
      random,
      nowMs,
      mayReach,
      unsafeSingleHop,
      ownNodes: this.#deps.ownNodes(),
    })
  }

  #ordered(guards: readonly NodeKey[], { isBeside }: Wish): readonly NodeKey[] {
    const { links, reach, random, hasLevel = () => false } = this.#deps
    const deps = { links, hasLevel, isSuspect: (key: NodeKey) => reach.isSuspect(key) }
    const order = preferStanding(guards, deps)
    return isBeside === true ? besideFirst(order, deps, random) : order
  }

  #weigh(key: NodeKey, { exit, lastsMs, country }: CircuitNeed): number {
    const { weights, directory, isElsewhere } = this.#deps
    if (country !== undefined && exit === undefined) {
      const node = directory.nodes.get(key)
      if (node?.country === country && isElsewhere?.(node)) return 0
    }
    return weights.weightOf(key, lastsMs)
  }

  /** The one exit that will do is chosen whatever holds of it; nobody on the way of a control circuit is paid. */
  #moment(key: NodeKey, need: CircuitNeed, isExit: boolean): Moment {
    const { exit, controlled, isAhead = false, trafficClass } = need
    const { preferenceOf, reach } = this.#deps
    if (key === exit) return NO_MOMENT
    const place = { isAhead, trafficClass: isExit ? trafficClass : undefined }
    return {
      factor: reach.absent.isAbsent(key) ? ABSENT_FACTOR : 1,
      preference: controlled === undefined ? preferenceOf?.(key, place) : undefined,
    }
  }

  async #tryPath(
    path: readonly PathNode[],
    tries: PathTries,
    signal: AbortSignal,
  ): Promise<ReadyCircuit | { readonly error: Error }> {
    const [entry] = path
    if (!entry) throw clientError('NO_PATH', { rule: 'GUARD' })
    let link: ClientLink
    try {
      link = await this.#deps.links.connect(targetOf(entry), signal)
    } catch {
      signal.throwIfAborted()
      this.#deps.reach.missed(entry.key, 'self', entry.key)
      tries.onFailed(path, NO_LINK)
      return { error: clientError('ENTRY_UNREACHABLE', { guards: 1 }) }
    }
    const hops = path.map(hopOf)
    const { entryLayer } = this.#deps
    const built = await buildCircuit(this.#deps.build, link, hops, { entryLayer, signal })
    if ('type' in built) return { error: this.#onFailed(path, tries, built) }
    for (const [at, { key }] of path.entries()) {
      this.#deps.observe(key, { type: 'success' })
      this.#deps.reach.reached(key, path[at - 1]?.key ?? 'self')
    }
    tries.onBuilt(path)
    this.#deps.onBuilt?.(path, built)
    return { circuit: built, path }
  }

  /** One hop's word alone costs a node nothing (THREAT-MODEL T7): who says it may have friends. */
  #onFailed(path: readonly PathNode[], tries: PathTries, failure: BuildFailure): Error {
    const { hopIndex, reason } = failure
    const [guard] = path
    const missing = path[hopIndex]
    if (guard && missing && ABSENT_REASONS.has(reason)) {
      this.#deps.reach.missed(missing.key, doubterOf(path, failure), guard.key)
    }
    const isAsked = reason !== CLOSE_REASON.DRAINING
    const isSlow = reason === CLOSE_REASON.TIMEOUT
    const isDetached = reason === CLOSE_REASON.NOT_ATTACHED
    const isGivenUp = tries.onFailed(path, { at: hopIndex, isAsked, isSlow, isDetached })
    if (isGivenUp && missing && !HARMLESS_REASONS.has(reason)) {
      this.#deps.observe(missing.key, { type: 'failure' })
    }
    return circuitError(reason, hopIndex + 1)
  }
}

/** No link to the guard was had. */
const NO_LINK = { at: 0, isAsked: false, isSlow: false, isDetached: false } as const

/** A busy, restarting or unattached node is left out of this circuit, but nothing is wrong with it. A node without an address names more relays than it is attached to. */
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
