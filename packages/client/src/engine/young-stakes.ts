/**
 * What a young stake takes from a node (SPEC §10.3, THREAT-MODEL T9): weight where old nodes enough are there to choose from, and a place among new guards in any
 * case, so that nobody buys entry positions within a week. Pure.
 * @module
 */
import type { NodeKey, PathNode, StakeClaim } from '@byway/protocol/directory'

/** How long ago a node's stake was registered; undefined where nobody says. */
export type StakeAgeOf = (claim: StakeClaim) => number | undefined

export type YoungStakes = {
  /** What each young stake counts, for those that do not count in full. */
  readonly factors: ReadonlyMap<NodeKey, number>
  /** Nobody's new guards. */
  readonly newcomers: ReadonlySet<NodeKey>
}

// Local limits (tunable): docs/LIMITS.md.
/** A stake that has stood for so long counts in full. */
const NEWCOMER_MS: number = 14 * 86_400_000
/** So many old nodes are enough to choose from. */
const OLD_ENOUGH = 20
/** What a stake of this minute counts. */
const NEWCOMER_FACTOR = 0.1
/** A stake that has stood for so long may become a guard in any network. */
const GUARD_AGE_MS: number = 7 * 86_400_000
/** In a younger network the relays of so many owners come first, the oldest of all: three guards that stand apart, twice. */
const LEAST_OWNERS = 6
/** Who started together has the same age. */
const TOGETHER_MS = 3_600_000

/** Says who is young, where anybody's age is known. Counted in old nodes and in owners, which nobody can make in a day, and not in shares. */
export function youngStakes(
  nodes: readonly PathNode[],
  stakeAgeMs: StakeAgeOf | undefined,
): YoungStakes {
  const ages = new Map<PathNode, number>()
  for (const node of nodes) {
    const ageMs = stakeAgeMs?.(node.entry.descriptor)
    if (ageMs !== undefined) ages.set(node, ageMs)
  }
  const factors = new Map<NodeKey, number>()
  const young = [...ages].filter(([, ageMs]) => ageMs < NEWCOMER_MS)
  if (ages.size - young.length >= OLD_ENOUGH) {
    for (const [{ key }, ageMs] of young) {
      factors.set(key, NEWCOMER_FACTOR + (1 - NEWCOMER_FACTOR) * (ageMs / NEWCOMER_MS))
    }
  }
  return { factors, newcomers: newcomersOf(nodes, ages) }
}

/** Relays too young for a guard: of nodes that are no entry nothing is to be said. */
function newcomersOf(
  nodes: readonly PathNode[],
  ages: ReadonlyMap<PathNode, number>,
): ReadonlySet<NodeKey> {
  if (ages.size === 0) return new Set()
  // A stake whose age nobody says is not older than others.
  const relays = nodes
    .filter(({ isRelay, isPublic }) => isRelay && isPublic)
    .map((node) => ({ node, ageMs: ages.get(node) ?? 0 }))
  const lineMs = guardLineMs(relays)
  return new Set(relays.filter(({ ageMs }) => ageMs < lineMs).map(({ node }) => node.key))
}

type AgedRelay = { readonly node: PathNode; readonly ageMs: number }

/** The age from which on a relay may become a guard. */
function guardLineMs(relays: readonly AgedRelay[]): number {
  if (relays.filter(({ ageMs }) => ageMs >= NEWCOMER_MS).length >= OLD_ENOUGH) return NEWCOMER_MS
  const oldest = new Map<string, number>()
  for (const { node, ageMs } of relays) {
    const owner = node.stakers[0] ?? node.key
    oldest.set(owner, Math.max(ageMs, oldest.get(owner) ?? 0))
  }
  const byAge = [...oldest.values()].toSorted((a, b) => b - a)
  const enough = Math.min(OLD_ENOUGH, Math.max(LEAST_OWNERS, Math.ceil(byAge.length / 2)))
  const ageMs = byAge[Math.min(enough, byAge.length) - 1] ?? 0
  return Math.min(GUARD_AGE_MS, ageMs - TOGETHER_MS)
}
