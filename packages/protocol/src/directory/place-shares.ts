/**
 * The fair share (fair-share.ts) over the nodes that one place of a path is really drawn from: exits that fit a request, open relays, new guards. A share of
 * the whole network is none of these: who runs a tenth of it as exits only may be most of the exits. What was worked out is kept while it holds, so that a draw costs one pass over the nodes.
 *
 * Nodes that are to be drawn after others have shares among themselves: a cap that took from those before them what they have too much would give it to them.
 * @module
 */
import { fairWeights } from './fair-share.ts'
import type { NodeKey } from './node-key.ts'
import type { PathNode } from './path-node.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Of all weight: what may change (weights, nodes that come, go or turn) before shares are worked out again. By so much a group may exceed its share. */
const MAX_DRIFT = 0.01
/** Sets of candidates for which shares are kept: countries, classes and ports in use at one time, those places without the nodes that failed, and of each the nodes that are drawn last. */
const MAX_KEPT = 16

/** What shares were worked out for one set of candidates. */
type Kept = {
  /** In the order of the candidates that they were worked out for. */
  readonly inOrder: readonly NodeShare[]
  readonly byKey: ReadonlyMap<NodeKey, NodeShare>
  /** Sum of all fair weights. */
  readonly total: number
}

type NodeShare = { readonly node: PathNode; readonly share: number; readonly fair: number }

/** The latest last; shares are of one directory. */
const keptOf = new WeakMap<object, Kept[]>()

/** What holds of a node for a while, on top of its weight. */
export type Moment = {
  /** Above 0, up to 1: little for one to be drawn after others. Few values. */
  readonly factor: number
  /** How much a payer prefers it among those that it pays, from 0, never chosen, to 1; undefined for one that asks nothing. Few values. */
  readonly preference: number | undefined
}

/** What holds of a node where nothing does. */
export const NO_MOMENT: Moment = { factor: 1, preference: undefined }

type Weigh = (key: NodeKey) => number

/**
 * Weighs candidates so that no staker, block or autonomous system among them has more than its share, to 1 % of all weight.
 *
 * @param directory - whose nodes they are; what was worked out is forgotten with it
 * @param weightOf - before shares; a node whose weight is not positive is never chosen
 * @param momentOf - on top of shares, which are of the nodes with one factor each. @default nothing holds
 */
export function placeWeights(
  directory: object,
  candidates: readonly PathNode[],
  weightOf: Weigh,
  momentOf: (key: NodeKey) => Moment = () => NO_MOMENT,
): (node: Pick<PathNode, 'key'>) => number {
  const ranks = new Map<number, PathNode[]>()
  for (const node of candidates) {
    const { factor, preference } = momentOf(node.key)
    if (preference === 0) continue
    const rank = ranks.get(factor)
    if (rank) rank.push(node)
    else ranks.set(factor, [node])
  }
  const preferenceOf = (key: NodeKey): number | undefined => momentOf(key).preference
  const weighs = new Map(
    [...ranks].map(([factor, rank]) => [
      factor,
      weighRank(directory, rank, weightOf, preferenceOf),
    ]),
  )
  return ({ key }) => {
    const { factor, preference } = momentOf(key)
    return preference === 0 ? 0 : factor * (weighs.get(factor)?.(key) ?? 0)
  }
}

/** Nodes with one factor. What a payer prefers is drawn from what those that are paid have together: else whoever asks nothing, and needs no slot and no tokens, would be drawn more the more is preferred. */
function weighRank(
  directory: object,
  rank: readonly PathNode[],
  weightOf: Weigh,
  preferenceOf: (key: NodeKey) => number | undefined,
): Weigh {
  const fair = weighAlike(directory, rank, weightOf)
  const tiers = Map.groupBy(rank, ({ key }) => preferenceOf(key))
  tiers.delete(undefined)
  if (tiers.size < 2) return fair
  const weighs = new Map(
    [...tiers].map(([preference, tier]) => [preference, weighAlike(directory, tier, weightOf)]),
  )
  const preferred = (key: NodeKey, preference: number): number =>
    preference * (weighs.get(preference)?.(key) ?? 0)
  let had = 0
  let drawn = 0
  for (const [preference = 1, tier] of tiers) {
    for (const { key } of tier) {
      had += fair(key)
      drawn += preferred(key, preference)
    }
  }
  const scale = drawn > 0 ? had / drawn : 1
  return (key) => {
    const preference = preferenceOf(key)
    return preference === undefined ? fair(key) : preferred(key, preference) * scale
  }
}

/** Nodes that shares are among. */
function weighAlike(directory: object, alike: readonly PathNode[], weightOf: Weigh): Weigh {
  const byKey = sharesOf(directory, alike, weightOf)
  return (key) => Math.max(0, weightOf(key)) * (byKey.get(key)?.share ?? 1)
}

function sharesOf(
  directory: object,
  candidates: readonly PathNode[],
  weightOf: (key: NodeKey) => number,
): Kept['byKey'] {
  const weights = candidates.map(({ key }) => Math.max(0, weightOf(key)))
  const all = keptOf.get(directory) ?? []
  const known = all.findLast((kept) => driftOf(kept, candidates, weights) <= MAX_DRIFT * kept.total)
  const kept = known ?? workOut(candidates, weights)
  keptOf.set(directory, [...all.filter((other) => other !== kept), kept].slice(-MAX_KEPT))
  return kept.byKey
}

function workOut(candidates: readonly PathNode[], weights: readonly number[]): Kept {
  const own = new Map(candidates.map(({ key }, i) => [key, weights[i] ?? 0]))
  const fair = fairWeights(candidates, ({ key }) => own.get(key) ?? 0)
  const inOrder = candidates.map((node, i): NodeShare => {
    const weight = weights[i] ?? 0
    const lowered = fair.get(node.key) ?? 0
    return { node, fair: lowered, share: weight > 0 ? lowered / weight : 1 }
  })
  const byKey = new Map(inOrder.map((each) => [each.node.key, each]))
  const total = inOrder.reduce((sum, each) => sum + each.fair, 0)
  return { inOrder, byKey, total }
}

/** By how much the weights to draw by differ from those that were worked out, in the unit of weights. */
function driftOf(
  { inOrder, byKey, total }: Kept,
  candidates: readonly PathNode[],
  weights: readonly number[],
): number {
  let drift = 0
  let gone = total
  for (let i = 0; i < candidates.length; i++) {
    const node = candidates[i]
    if (!node) continue
    const weight = weights[i] ?? 0
    const same = inOrder[i]
    const known = same?.node === node ? same : byKey.get(node.key)
    gone -= known?.fair ?? 0
    // Another edition may be of another group: all of its weight may be too much.
    if (known?.node === node) drift += Math.abs(weight * known.share - known.fair)
    else drift += Math.max(weight, known?.fair ?? 0)
    if (drift > MAX_DRIFT * total) return drift
  }
  return drift + Math.max(0, gone - 1e-9 * total)
}
