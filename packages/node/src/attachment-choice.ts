/**
 * Which relays a node without a public port attaches to: drawn at random, and spread over operators and places, so that nobody who names its own relays first
 * gets all of them. Pure.
 * @module
 */
import {
  chooseWeighted,
  drawWeighted,
  fairWeights,
  mayShareCircuit,
  type NodeKey,
  type PathNode,
  type UnitRandom,
} from '@byway/protocol/directory'

// Local limits (tunable): docs/LIMITS.md.
/** One relay may die while another restarts, and a circuit still finds a way. */
export const LIVE_ATTACHMENTS = 3
/** As many as a descriptor has room for (SPEC §10.1), so that losing a relay needs no new edition. */
export const MAX_CANDIDATES = 6

export type CandidateChoice = {
  /** Candidates so far that may stay; of two that may not share a circuit the earlier one is kept. */
  readonly kept: readonly PathNode[]
  /** Other relays that may become candidates. */
  readonly fresh: readonly PathNode[]
  readonly random: UnitRandom
}

/**
 * Keeps and draws up to six candidates of which no two share an address block, an autonomous system, a family or a staker: fewer rather than such two,
 * unless there would be less than three. Then what there is fills the six.
 */
export function chooseCandidates({ kept, fresh, random }: CandidateChoice): readonly PathNode[] {
  // Each relay of a large group weighs little: its number buys no better chance. This node has measured none of them.
  const weights = fairWeights(fresh, () => 1)
  const chosen = drawApart(apartOf(kept), fresh, { max: MAX_CANDIDATES, weights, random })
  return chosen.length >= LIVE_ATTACHMENTS ? chosen : fillUp(chosen, { kept, fresh, random })
}

export type ApartDraw = {
  /** As many as there are in the end, those so far among them. */
  readonly max: number
  readonly weights: ReadonlyMap<NodeKey, number>
  readonly random: UnitRandom
}

/** Draws by weight, in addition to those so far, nodes of which no two may share an address block, an autonomous system, a family or a staker. */
export function drawApart(
  soFar: readonly PathNode[],
  fresh: readonly PathNode[],
  { max, weights, random }: ApartDraw,
): readonly PathNode[] {
  const chosen = [...soFar]
  let open = fresh.filter((node) => isApart(node, chosen))
  while (chosen.length < max) {
    const index = chooseWeighted(
      open.map(({ key }) => weights.get(key) ?? 0),
      random,
    )
    const drawn = index === undefined ? undefined : open[index]
    if (!drawn) break
    chosen.push(drawn)
    open = open.filter((node) => mayShareCircuit(node, drawn))
  }
  return chosen
}

/**
 * The candidate to dial next. While less than three links that stand apart are up or dialled, one apart from all of these comes first, also as a fourth link;
 * any other only as long as three are missing. Undefined when nothing is to be dialled.
 * @param busy - candidates with a link, or being dialled
 * @param idle - the others that may be dialled
 */
export function nextToDial(
  busy: readonly PathNode[],
  idle: readonly PathNode[],
): PathNode | undefined {
  const spreading =
    apartOf(busy).length < LIVE_ATTACHMENTS ? idle.find((node) => isApart(node, busy)) : undefined
  return spreading ?? (busy.length < LIVE_ATTACHMENTS ? idle[0] : undefined)
}

function fillUp(
  chosen: readonly PathNode[],
  { kept, fresh, random }: CandidateChoice,
): readonly PathNode[] {
  const filled = new Set(chosen)
  for (const node of kept) {
    if (filled.size < MAX_CANDIDATES) filled.add(node)
  }
  const rest = fresh.filter((node) => !filled.has(node))
  for (const node of drawWeighted(rest, () => 1, random)) {
    if (filled.size >= MAX_CANDIDATES) break
    filled.add(node)
  }
  return [...filled]
}

/** Goes through the nodes in order, and leaves out each that may not share a circuit with one before. */
function apartOf(nodes: readonly PathNode[]): PathNode[] {
  const apart: PathNode[] = []
  for (const node of nodes) {
    if (isApart(node, apart)) apart.push(node)
  }
  return apart
}

function isApart(node: PathNode, others: readonly PathNode[]): boolean {
  return others.every((other) => mayShareCircuit(node, other))
}
