/**
 * Why a node is chosen as often as it is (SPEC §10.3): each factor of its weight with what this client saw. In words it is the command's to say.
 * @module
 */
import { lineHintOf } from '@byway/protocol/directory'
import type {
  LineHint,
  LineSeen,
  NodeKey,
  NodeRecord,
  PathNode,
  PlaceAuthority,
  ProvenService,
  StakeClaim,
  UptimeRecord,
} from '@byway/protocol/directory'
import type { TrafficClass } from '@byway/protocol/wire'
import { STANDING_FACTORS, type HopBook, type HopStanding } from '../money/hop-book.ts'
import { ABSENT_FACTOR } from './circuit-source.ts'
import type { ClientStakes } from './directory-keeper.ts'
import type { AgreedSpeed } from './agreed-speeds.ts'
import type { NodeWeights, WeightFactors } from './node-weights.ts'
import type { Reach } from './reach.ts'
import type { TooNear } from './round-trips.ts'

type Voices = Pick<AgreedSpeed, 'speedVoices' | 'latencyVoices'>

/** What holds of a node for a while, on top of its weight. */
export type NodeMoment = {
  /** What a circuit that did not reach it makes of it just now: 1 for nothing. */
  readonly absence: number
  /** What a payer makes of it, tokens in stock aside; `usual` where nothing is paid. */
  readonly standing: HopStanding
  /** The same as a factor. */
  readonly payment: number
  /** It is a guard that is used after the others: more fails behind it, or less comes. */
  readonly isLastGuard: boolean
}

export type NodeScore = {
  readonly nodeId: NodeKey
  /** With what holds at the moment. */
  readonly weight: number
  /** Of all nodes' weight, 0 to 1. */
  readonly share: number
  readonly factors: WeightFactors
  readonly moment: NodeMoment
  /** Undefined for a node that was never used. */
  readonly record: NodeRecord | undefined
  /** Guards whose measurements of its speed count, and of its round trips; one alone moves no weight. */
  readonly voices: Voices
  /** For how long it was seen up; undefined where nobody watches. */
  readonly uptime: UptimeRecord | undefined
  /** Undefined where there is no registry, or nobody knows. */
  readonly stakeAgeMs: number | undefined
  /** Undefined where services are not proven, or nobody knows. */
  readonly proven: ProvenService | undefined
  readonly isGuard: boolean
  /** As path rules take it; '' when nobody says. */
  readonly country: string
  /** Who says so; undefined when nobody does. */
  readonly countryBy: PlaceAuthority | undefined
  /** As the node says itself. */
  readonly claimedCountry: string
  /** Why it cannot be where it says; undefined while it can. */
  readonly tooNear: TooNear | undefined
  /** False for a node that is reached through relays, of whose place there is only its word. */
  readonly isPublic: boolean
  /** Whether it may be on a home's line. */
  readonly line: LineHint
}

export type ScoreDeps = {
  readonly nodes: () => readonly PathNode[]
  readonly weights: NodeWeights
  readonly recordOf: (key: NodeKey) => NodeRecord | undefined
  readonly voicesOf?: ((key: NodeKey) => Voices) | undefined
  readonly uptimeOf?: ((key: NodeKey) => UptimeRecord | undefined) | undefined
  readonly tooNear?: ((node: PathNode) => TooNear | undefined) | undefined
  /** What was seen of the lines of these nodes over time. @default nothing */
  readonly linesOf?: ((nodes: readonly PathNode[]) => (key: NodeKey) => LineSeen) | undefined
  readonly stakeAgeMs: ((claim: StakeClaim) => number | undefined) | undefined
  readonly provenOf: ((claim: StakeClaim) => ProvenService | undefined) | undefined
  readonly isGuard: (key: NodeKey) => boolean
  /** @default nothing holds of any */
  readonly momentOf?: ((key: NodeKey) => NodeMoment) | undefined
}

const NO_MOMENT: NodeMoment = { absence: 1, standing: 'usual', payment: 1, isLastGuard: false }

/** What circuits and purchases made of nodes a moment ago. @param hops - undefined where nothing is paid @param trafficClass - that exits are asked for */
export function momentsOf(
  { absent, isSuspect }: Pick<Reach, 'absent' | 'isSuspect'>,
  hops: Pick<HopBook, 'standingOf'> | undefined,
  trafficClass: TrafficClass,
): (key: NodeKey) => NodeMoment {
  return (key) => {
    const standing = hops?.standingOf(key, trafficClass) ?? 'usual'
    return {
      absence: absent.isAbsent(key) ? ABSENT_FACTOR : 1,
      standing,
      payment: STANDING_FACTORS[standing],
      isLastGuard: isSuspect(key),
    }
  }
}

/** What the registry's view says of nodes besides their stake. */
export function stakeFacts(
  stakes: ClientStakes | undefined,
): Pick<ScoreDeps, 'stakeAgeMs' | 'provenOf'> {
  return {
    stakeAgeMs: stakes && ((claim) => stakes.stakeAgeMs?.(claim)),
    provenOf: stakes && ((claim) => stakes.provenOf?.(claim)),
  }
}

/** Scores every listed node, the most chosen first. */
export function scoreNodes(deps: ScoreDeps): readonly NodeScore[] {
  const { weights, recordOf, momentOf = () => NO_MOMENT } = deps
  const nodes = deps.nodes()
  const weighed = nodes.map((node) => {
    const moment = momentOf(node.key)
    return { node, moment, weight: weights.weightOf(node.key) * moment.absence * moment.payment }
  })
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0)
  const lineOf = deps.linesOf?.(nodes)
  const scores = weighed.map(({ node, moment, weight }): NodeScore => {
    const { key, country, countryBy, isPublic } = node
    const { descriptor } = node.entry
    return {
      nodeId: key,
      weight,
      share: total > 0 ? weight / total : 0,
      factors: weights.factorsOf(key),
      moment,
      record: recordOf(key),
      voices: deps.voicesOf?.(key) ?? { speedVoices: 0, latencyVoices: 0 },
      uptime: deps.uptimeOf?.(key),
      stakeAgeMs: deps.stakeAgeMs?.(descriptor),
      proven: deps.provenOf?.(descriptor),
      isGuard: deps.isGuard(key),
      country,
      countryBy,
      claimedCountry: descriptor.country,
      tooNear: deps.tooNear?.(node),
      isPublic,
      line: lineHintOf(node, lineOf?.(key)),
    }
  })
  return scores.toSorted((a, b) => b.weight - a.weight)
}
