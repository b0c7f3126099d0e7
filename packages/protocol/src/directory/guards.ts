/**
 * A client's guards: the few relays that it ever enters by (SPEC §10.3, THREAT-MODEL T7). Three primary guards, persisted;
 * one is replaced only when it is unlisted or too old. A circuit that fails beyond its entry is no event here, on purpose:
 * a hostile middle must not be able to walk a client through entries. Pure: state in, state out.
 * @module
 */
import { type GuardState, MAX_SAMPLE, type SampledGuard } from './guard-state.ts'
import type { NodeKey } from './node-key.ts'
import { mayShareCircuit, type PathNode, type PathNodeSet } from './path-node.ts'
import { placeWeights } from './place-shares.ts'
import { drawWeighted, type UnitRandom } from './weighted-choice.ts'

export type GuardRefresh = {
  /** A directory complete enough to believe that who is missing is gone. */
  readonly set: PathNodeSet
  /** Before the share of a node's groups among those that may become guards. */
  readonly weightOf: (key: NodeKey) => number
  /** Nodes too new to become a guard now; one that is stays. */
  readonly isNewcomer?: ((key: NodeKey) => boolean) | undefined
  readonly random: UnitRandom
  readonly nowMs: number
  readonly ownNodes?: ReadonlySet<NodeKey> | undefined
}

/** Links to guards that failed of late; kept in memory only. */
export type GuardHealth = ReadonlyMap<
  NodeKey,
  { readonly fails: number; readonly restUntilMs: number }
>

/** Takes in the directory: notes who is listed, forgets who is gone or too old, and fills the sample up. */
export function refreshGuards(state: GuardState, refresh: GuardRefresh): GuardState {
  const { set, nowMs } = refresh
  const candidates = set.list(nowMs).filter((node) => isCandidate(node, refresh))
  const listed = new Set(candidates.map(({ key }) => key))
  const kept = state.sample
    .map((guard) => noteListing(guard, listed.has(guard.key), nowMs))
    .filter((guard) => !isLongGone(guard, nowMs))
  const retired = retireOne({ ...state, sample: kept }, nowMs)
  return { ...retired, sample: fillSample(retired.sample, candidates, refresh) }
}

/** Returns the primary guards, preferred first: at most three. */
export function primaryGuards(state: GuardState): readonly NodeKey[] {
  return listedGuards(state).slice(0, PRIMARY_GUARDS)
}

/**
 * Returns the entries to use now, preferred first: primary guards that answer; else those that may stand in; else the
 * primary ones again, since there is nothing better to try.
 */
export function guardEntries(
  state: GuardState,
  health: GuardHealth,
  nowMs: number,
): readonly NodeKey[] {
  const primary = primaryGuards(state)
  const isUp = (key: NodeKey): boolean => (health.get(key)?.restUntilMs ?? 0) <= nowMs
  const answering = primary.filter(isUp)
  if (answering.length > 0) return answering
  const standIns = standInGuards(state).filter(isUp)
  return standIns.length > 0 ? standIns : primary
}

/**
 * Notes that the link to a guard could not be opened or broke (not that a circuit failed). When nothing answers any more,
 * one further guard may stand in, at most one in ten minutes.
 */
export function noteLinkFailed(
  state: GuardState,
  health: GuardHealth,
  key: NodeKey,
  nowMs: number,
): { readonly state: GuardState; readonly health: GuardHealth } {
  const listed = listedGuards(state)
  if (!listed.includes(key)) return { state, health }
  const fails = (health.get(key)?.fails ?? 0) + 1
  const restMs = Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** Math.min(fails - 1, 16))
  const noted = new Map(health).set(key, { fails, restUntilMs: nowMs + restMs })
  const inUse = [...primaryGuards(state), ...standInGuards(state)]
  const isAllDown = inUse.every((entry) => noted.has(entry))
  const canGrow = inUse.length < listed.length
  if (!isAllDown || !canGrow || !maySwitch(state, nowMs)) return { state, health: noted }
  return {
    state: { ...state, fallbacks: state.fallbacks + 1, switchedAtMs: nowMs },
    health: noted,
  }
}

/** Notes that the link to a guard is open. Once a primary guard answers, nobody stands in for it. */
export function noteLinkOpened(
  state: GuardState,
  health: GuardHealth,
  key: NodeKey,
): { readonly state: GuardState; readonly health: GuardHealth } {
  const cleared = new Map(health)
  cleared.delete(key)
  const isPrimary = primaryGuards(state).includes(key)
  return { state: isPrimary ? { ...state, fallbacks: 0 } : state, health: cleared }
}

function isCandidate(node: PathNode, { weightOf, ownNodes }: GuardRefresh): boolean {
  return node.isRelay && node.isPublic && !ownNodes?.has(node.key) && weightOf(node.key) > 0
}

function noteListing(guard: SampledGuard, isListed: boolean, nowMs: number): SampledGuard {
  if (isListed) return guard.unlistedSinceMs === null ? guard : { ...guard, unlistedSinceMs: null }
  return guard.unlistedSinceMs === null ? { ...guard, unlistedSinceMs: nowMs } : guard
}

function isLongGone({ unlistedSinceMs }: SampledGuard, nowMs: number): boolean {
  return unlistedSinceMs !== null && nowMs - unlistedSinceMs >= UNLISTED_GRACE_MS
}

/** Lets the oldest guard go that is past its time; the others wait for the next ten minutes. */
function retireOne(state: GuardState, nowMs: number): GuardState {
  const old = state.sample.find(({ expiresAtMs }) => expiresAtMs <= nowMs)
  if (!old || !maySwitch(state, nowMs)) return state
  const sample = state.sample.filter((guard) => guard !== old)
  return { ...state, sample, switchedAtMs: nowMs }
}

function fillSample(
  sample: readonly SampledGuard[],
  candidates: readonly PathNode[],
  { set, weightOf, isNewcomer, random, nowMs }: GuardRefresh,
): readonly SampledGuard[] {
  const sampled = new Set(sample.map(({ key }) => key))
  const nodes = candidates.filter(({ key }) => sampled.has(key))
  const filled = [...sample]
  const target = Math.max(PRIMARY_GUARDS, Math.ceil(candidates.length * SAMPLE_SHARE))
  const fresh = candidates.filter(({ key }) => !sampled.has(key) && isNewcomer?.(key) !== true)
  for (const node of drawWeighted(fresh, placeWeights(set, fresh, weightOf), random)) {
    const isFull = filled.length >= target && nodes.length >= PRIMARY_GUARDS
    if (isFull || filled.length >= MAX_SAMPLE) break
    // Guards of one owner or place would fall together.
    if (!nodes.every((other) => mayShareCircuit(node, other))) continue
    nodes.push(node)
    const lifeMs = MIN_LIFE_MS + Math.floor(random() * (MAX_LIFE_MS - MIN_LIFE_MS))
    const expiresAtMs = nowMs + lifeMs
    filled.push({ key: node.key, addedAtMs: nowMs, expiresAtMs, unlistedSinceMs: null })
  }
  return filled
}

function listedGuards({ sample }: GuardState): readonly NodeKey[] {
  return sample.filter(({ unlistedSinceMs }) => unlistedSinceMs === null).map(({ key }) => key)
}

function standInGuards(state: GuardState): readonly NodeKey[] {
  return listedGuards(state).slice(PRIMARY_GUARDS, PRIMARY_GUARDS + state.fallbacks)
}

/** A clock that was set back does not lock the guards. */
function maySwitch({ switchedAtMs }: GuardState, nowMs: number): boolean {
  if (switchedAtMs === null) return true
  return nowMs < switchedAtMs || nowMs - switchedAtMs >= SWITCH_INTERVAL_MS
}

// Protocol constants (SPEC §10.3, THREAT-MODEL T7).

/** SPEC §10.3: "three, persisted". */
const PRIMARY_GUARDS = 3
/** At most one entry switch in ten minutes. */
const SWITCH_INTERVAL_MS = 600_000
/** At most 60 guards or a fifth of the relays, as Tor's sample. */
const SAMPLE_SHARE = 0.2

// Local limits (tunable).

/** 90 to 120 days: long beside an attack, drawn at random so that three guards do not expire together. */
const MIN_LIFE_MS = 90 * 86_400_000
const MAX_LIFE_MS = 120 * 86_400_000
/** A relay that is away for a week is still the same guard when it comes back. */
const UNLISTED_GRACE_MS = 7 * 86_400_000
/** A guard whose link failed is passed over for this long, doubling. */
const FIRST_REST_MS = 2000
const MAX_REST_MS = 60_000
