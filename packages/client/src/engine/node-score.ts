/**
 * Why a node is chosen as often as it is (SPEC §10.3): each factor of its weight with what this client saw. In words it is the command's to say.
 * @module
 */
import type { NodeKey, NodeRecord, PathNode, StakeClaim } from '@byway/protocol/directory'
import type { NodeWeights, WeightFactors } from './node-weights.ts'

export type NodeScore = {
  readonly nodeId: NodeKey
  readonly weight: number
  /** Of all nodes' weight, 0 to 1. */
  readonly share: number
  readonly factors: WeightFactors
  /** Undefined for a node that was never used. */
  readonly record: NodeRecord | undefined
  /** Undefined where there is no registry, or nobody knows. */
  readonly stakeAgeMs: number | undefined
  readonly isGuard: boolean
  readonly country: string
  /** As the node says itself. */
  readonly claimedCountry: string
}

export type ScoreDeps = {
  readonly nodes: () => readonly PathNode[]
  readonly weights: NodeWeights
  readonly recordOf: (key: NodeKey) => NodeRecord | undefined
  readonly stakeAgeMs: ((claim: StakeClaim) => number | undefined) | undefined
  readonly isGuard: (key: NodeKey) => boolean
}

/** Scores every listed node, the most chosen first. */
export function scoreNodes(deps: ScoreDeps): readonly NodeScore[] {
  const { weights, recordOf } = deps
  const nodes = deps.nodes()
  const total = nodes.reduce((sum, { key }) => sum + weights.weightOf(key), 0)
  const scores = nodes.map(({ key, entry: { descriptor }, country }): NodeScore => {
    const weight = weights.weightOf(key)
    return {
      nodeId: key,
      weight,
      share: total > 0 ? weight / total : 0,
      factors: weights.factorsOf(key),
      record: recordOf(key),
      stakeAgeMs: deps.stakeAgeMs?.(descriptor),
      isGuard: deps.isGuard(key),
      country,
      claimedCountry: descriptor.country,
    }
  })
  return scores.toSorted((a, b) => b.weight - a.weight)
}
