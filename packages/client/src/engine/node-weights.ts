/**
 * How much each node is chosen (SPEC §10.3): what this client measured of it, more for service that it proved, less for a new stake, and nobody above a fair share. Worked out for the whole network once in
 * a while, since it is every node's weight that a share is of.
 * @module
 */
import { fairWeights, lastingFactor, successFactor, weightOfNode } from '@byway/protocol/directory'
import type { NodeKey, NodeRecord, PathNode, PathNodeSet } from '@byway/protocol/directory'
import type { ProvenService, StakeClaim, UptimeRecord } from '@byway/protocol/directory'
import type { AgreedSpeed } from './agreed-speeds.ts'
import { youngStakes } from './young-stakes.ts'

type Agreed = Pick<AgreedSpeed, 'speed' | 'latency'>

export type NodeWeightsDeps = {
  readonly nodes: () => PathNodeSet
  /** What was seen of a node; undefined for one never used. */
  readonly recordOf: (key: NodeKey) => NodeRecord | undefined
  /** How fast a node is beside others, and what its round trips make of its weight, as guards agree. @default 1 and 1 for all */
  readonly agreedOf?: ((key: NodeKey) => Agreed) | undefined
  /** How long ago a node's stake was registered; absent or undefined where nobody says. */
  readonly stakeAgeMs?: ((claim: StakeClaim) => number | undefined) | undefined
  /** What a node's provider has proven lately, as the chain says; absent or undefined where nobody says. */
  readonly provenOf?: ((claim: StakeClaim) => ProvenService | undefined) | undefined
  /** True for a node that answered sooner than light comes from where it says it is. */
  readonly isElsewhere?: ((node: PathNode) => boolean) | undefined
  /** True for a node that signed two editions under one number. */
  readonly isDouble?: ((key: NodeKey) => boolean) | undefined
  /** For how long a node was seen up; absent where nobody watches. */
  readonly uptimeOf?: ((key: NodeKey) => UptimeRecord | undefined) | undefined
  /** Wall clock. */
  readonly nowMs: () => number
}

/** What each rule makes of a node, as factors of its weight: 1 changes nothing. */
export type WeightFactors = {
  /** Goodput beside that of other nodes, as guards agree. */
  readonly speed: number
  /** Round trips beside those of other nodes, as guards agree. */
  readonly latency: number
  /** Of circuits that failed by it. */
  readonly success: number
  /** Of service that was proven, by the fees burned for it. */
  readonly service: number
  /** Of a young stake. */
  readonly youth: number
  /** Of a claimed country that is not where the address is. */
  readonly place: number
  /** Of two editions under one number. */
  readonly honesty: number
  /** Of what its owner, prefix or AS has together. */
  readonly share: number
}

/** Weights of nodes as exits, middles and new guards. */
export interface NodeWeights {
  /** Positive for every listed node. @param lastsMs - of a stream that lasts so long: nodes that are likely to stay weigh more, nobody above its share */
  weightOf(key: NodeKey, lastsMs?: number): number
  /** The same for a new guard: how far a node is from the guards there are says nothing of it there. */
  guardWeightOf(key: NodeKey): number
  /** True for a relay whose stake is too young for a new guard, and for a node that tells two things. */
  isNewcomer(key: NodeKey): boolean
  /** Their product is the weight, for every listed node that has not fallen to the least. */
  factorsOf(key: NodeKey): WeightFactors
  /** Something was found out about a node's place: it counts within a second, as a node that turns up does. */
  workOutSoon(): void
}

// Local limits (tunable): docs/LIMITS.md.
/** What a node counts that says it is in another country than its address. */
const MISPLACED_FACTOR = 0.25
/** The same where only the coarse table that comes with the program contradicts it, or relays that see it. */
const PERHAPS_MISPLACED_FACTOR = 0.5
/** And one that tells some this and others that. */
const DOUBLE_FACTOR = 0.01
/** Between two times that shares are worked out. */
const REWORK_MS = 60_000
/** The same when a node turns up that was not there, or is found to be elsewhere. */
const REWORK_SOON_MS = 1000
/** Streams are told apart by how long they last in steps of two from here on, and up to here: each step's shares are worked out apart. */
const LEAST_LASTS_MS = 600_000
const MOST_LASTS_MS: number = 7 * 86_400_000

type Standing = Pick<WeightFactors, 'service' | 'youth' | 'place' | 'honesty' | 'share'> & {
  readonly factor: number
  readonly isNewcomer: boolean
}

/** Creates weights over a directory that may still be empty. */
export function createNodeWeights(deps: NodeWeightsDeps): NodeWeights {
  const standings = new Map<number, Standings>()
  /** What was worked out before is of an older look at places. */
  let staleBeforeMs = Number.NEGATIVE_INFINITY

  function standingOf(key: NodeKey, stepMs: number): Standing {
    const known = standings.get(stepMs)
    const ageMs = deps.nowMs() - (known?.workedAtMs ?? Number.NEGATIVE_INFINITY)
    const isMissing = known?.byKey.has(key) !== true && deps.nodes().get(key) !== undefined
    const isStale = isMissing || (known?.workedAtMs ?? 0) < staleBeforeMs
    const isFresh = ageMs >= 0 && ageMs < (isStale ? REWORK_SOON_MS : REWORK_MS)
    if (known && isFresh) return known.byKey.get(key) ?? UNKNOWN
    const byKey = workOut(deps, stepMs)
    standings.set(stepMs, { byKey, workedAtMs: deps.nowMs() })
    return byKey.get(key) ?? UNKNOWN
  }

  return {
    weightOf: (key, lastsMs) => measuredOf(deps, key) * standingOf(key, stepOf(lastsMs)).factor,
    guardWeightOf: (key) =>
      weightOfNode(deps.recordOf(key), deps.agreedOf?.(key).speed) * standingOf(key, 0).factor,
    isNewcomer: (key) => standingOf(key, 0).isNewcomer,
    factorsOf(key) {
      const { service, youth, place, honesty, share } = standingOf(key, 0)
      const success = successFactor(deps.recordOf(key))
      const { speed, latency } = deps.agreedOf?.(key) ?? UNMEASURED
      return { speed, latency, success, service, youth, place, honesty, share }
    },
    workOutSoon: () => void (staleBeforeMs = deps.nowMs()),
  }
}

type Standings = {
  readonly byKey: ReadonlyMap<NodeKey, Standing>
  readonly workedAtMs: number
}

/** 0 for streams of ordinary kind. */
function stepOf(lastsMs: number | undefined): number {
  if (lastsMs === undefined) return 0
  const steps = Math.ceil(Math.log2(Math.max(1, lastsMs / LEAST_LASTS_MS)))
  return Math.min(MOST_LASTS_MS, LEAST_LASTS_MS * 2 ** steps)
}

const UNMEASURED: Agreed = { speed: 1, latency: 1 }

const UNKNOWN: Standing = {
  factor: 1,
  isNewcomer: false,
  service: 1,
  youth: 1,
  place: 1,
  honesty: 1,
  share: 1,
}

/** @param lastsMs - 0 for streams of ordinary kind */
function workOut(deps: NodeWeightsDeps, lastsMs: number): ReadonlyMap<NodeKey, Standing> {
  const nodes = deps.nodes().list(deps.nowMs())
  const { factors: youthOf, newcomers } = youngStakes(nodes, deps.stakeAgeMs)
  const measured = ({ key }: PathNode): number => measuredOf(deps, key)
  const stay = ({ key }: PathNode): number =>
    lastsMs > 0 ? lastingFactor(deps.uptimeOf?.(key), lastsMs) : 1
  const own = (node: PathNode) => ({
    service: deps.provenOf?.(node.entry.descriptor)?.factor ?? 1,
    youth: youthOf.get(node.key) ?? 1,
    place: placeFactor(node, deps.isElsewhere?.(node) === true),
    honesty: deps.isDouble?.(node.key) ? DOUBLE_FACTOR : 1,
  })
  const before = (node: PathNode): number => {
    const { service, youth, place, honesty } = own(node)
    return measured(node) * service * youth * place * honesty * stay(node)
  }
  const weights = fairWeights(nodes, before)
  return new Map(
    nodes.map((node) => {
      const weight = weights.get(node.key) ?? 0
      const factors = { ...own(node), share: weight / before(node) }
      // Whoever tells two things is nobody's new guard either.
      const isNewcomer = newcomers.has(node.key) || factors.honesty < 1
      return [node.key, { ...factors, factor: weight / measured(node), isNewcomer }]
    }),
  )
}

function measuredOf({ recordOf, agreedOf }: NodeWeightsDeps, key: NodeKey): number {
  const { speed, latency } = agreedOf?.(key) ?? UNMEASURED
  return weightOfNode(recordOf(key), speed * latency)
}

function placeFactor({ isMisplaced, countryBy }: PathNode, isElsewhere: boolean): number {
  if (isElsewhere) return MISPLACED_FACTOR
  if (!isMisplaced) return 1
  const isWeak = countryBy === 'built-in' || countryBy === 'relays'
  return isWeak ? PERHAPS_MISPLACED_FACTOR : MISPLACED_FACTOR
}
