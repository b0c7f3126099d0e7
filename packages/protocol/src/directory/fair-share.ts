/**
 * No owner, address block or autonomous system is chosen more than its share, however many nodes it has and whatever they weigh (DESIGN §6, THREAT-MODEL T8): a Sybil's
 * thousand addresses of one provider count as one large node. Pure.
 * @module
 */
import type { NodeKey } from './node-key.ts'
import type { PathNode } from './path-node.ts'

/** Of all choices. In a network with few groups twice an equal share, since somebody must be chosen. */
export const MAX_GROUP_SHARE = 0.1

// Local limits (tunable): docs/LIMITS.md.
/** Lowering one kind of group raises the others' shares: more rounds change less than a hundredth. */
const ROUNDS = 8
const CLOSE_ENOUGH = 1.01

/**
 * Returns a weight for each node with a positive one, lowered where its staker, its address block or its autonomous system would have more than
 * its share. A node of no group is a group of its own.
 */
export function fairWeights(
  nodes: readonly PathNode[],
  weightOf: (node: PathNode) => number,
): ReadonlyMap<NodeKey, number> {
  const weights = new Map<NodeKey, number>()
  for (const node of nodes) {
    const weight = weightOf(node)
    if (weight > 0) weights.set(node.key, weight)
  }
  const weighted = nodes.filter(({ key }) => weights.has(key))
  const kinds = KINDS.map((groupsOf) => groupNodes(weighted, groupsOf))
  for (let round = 0; round < ROUNDS; round++) {
    const changes = kinds.map((groups) => lowerLarge(groups, weights))
    if (!changes.includes(true)) break
  }
  return weights
}

/** The names of a node's groups of one kind. */
type GroupsOf = (node: PathNode) => readonly string[]

const KINDS: readonly GroupsOf[] = [
  ({ stakers }) => stakers,
  ({ prefixGroups }) => prefixGroups,
  ({ asns }) => asns.map(String),
]

type Group = readonly NodeKey[]

function groupNodes(nodes: readonly PathNode[], groupsOf: GroupsOf): readonly Group[] {
  const groups = new Map<string, NodeKey[]>()
  for (const node of nodes) {
    const names = groupsOf(node)
    for (const name of names.length > 0 ? names : [node.key]) {
      const group = groups.get(name)
      if (group) group.push(node.key)
      else groups.set(name, [node.key])
    }
  }
  return [...groups.values()]
}

/** Lowers the largest groups to the share they may have of what is then left; true when any was much too large. */
function lowerLarge(groups: readonly Group[], weights: Map<NodeKey, number>): boolean {
  const cap = Math.max(MAX_GROUP_SHARE, 2 / groups.length)
  if (cap >= 1) return false
  const sums = groups.map((group) => ({ group, sum: sumOf(group, weights) }))
  const largest = sums.toSorted((a, b) => b.sum - a.sum)
  // A node counts once, however many groups it says to be of: addresses that nobody tried would raise the total, and with it every share.
  let rest = [...weights.values()].reduce((total, weight) => total + weight, 0)
  const lowered = new Set<NodeKey>()
  let count = 0
  // Each that is lowered lowers the total, and with it what the next may have.
  for (const { group, sum } of largest) {
    if ((count + 1) * cap >= 1) break
    const own = sumOf(
      group.filter((key) => !lowered.has(key)),
      weights,
    )
    if (sum <= (cap * (rest - own)) / (1 - (count + 1) * cap)) break
    rest -= own
    count++
    for (const key of group) lowered.add(key)
  }
  const target = (cap * rest) / (1 - count * cap)
  let isChanged = false
  for (const { group, sum } of largest.slice(0, count)) {
    isChanged ||= sum > target * CLOSE_ENOUGH
    for (const key of group) weights.set(key, ((weights.get(key) ?? 0) * target) / sum)
  }
  return isChanged
}

function sumOf(group: Group, weights: ReadonlyMap<NodeKey, number>): number {
  return group.reduce((sum, key) => sum + (weights.get(key) ?? 0), 0)
}
