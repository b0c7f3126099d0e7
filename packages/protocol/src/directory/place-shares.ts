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

/** What a node's weight is multiplied by for a while, from 0 to 1: less for those to be drawn after others. Few values. */
export type MomentaryOf = (key: NodeKey) => number

/**
 * Weighs candidates so that no staker, block or autonomous system among them has more than its share, to 1 % of all weight.
 *
 * @param directory - whose nodes they are; what was worked out is forgotten with it
 * @param weightOf - before shares; a node whose weight is not positive is never chosen
 * @param momentaryOf - on top of shares, which are of the nodes with one value each; one with none is never chosen. @default 1 for all
 */
export function placeWeights(
  directory: object,
  candidates: readonly PathNode[],
  weightOf: (key: NodeKey) => number,
  momentaryOf: MomentaryOf = () => 1,
): (node: Pick<PathNode, 'key'>) => number {
  const ranks = Map.groupBy(candidates, ({ key }) => Math.max(0, momentaryOf(key)))
  ranks.delete(0)
  const shares = new Map(
    [...ranks].map(([factor, nodes]) => [factor, sharesOf(directory, nodes, weightOf)]),
  )
  return ({ key }) => {
    const factor = Math.max(0, momentaryOf(key))
    const share = shares.get(factor)?.get(key)?.share ?? 1
    return Math.max(0, weightOf(key)) * share * factor
  }
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
