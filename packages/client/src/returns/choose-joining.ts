/** Which small leaves become one (SPEC §14.6). @module */
import { JOIN_FEE_UNITS, MAX_LEAF_UNITS } from '@byway/protocol/ticket'
import { MAX_JOINED_LEAVES } from '@byway/protocol/wire'
import type { SmallLeaf } from '../money/ports.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Leaves among which the best are looked for, drawn anew each time: sixteen make 2500 choices. */
const MAX_CHOICE_LEAVES = 16
/** So much of the joined units must make slots again: what is left over is a rest that can only be paid out, and the fee is gone. */
const LEAST_YIELD = 0.75
/** While fewer leaves wait than one proof joins: better ones may come. */
const LEAST_YIELD_OF_FEW = 0.95

/**
 * Two to four leaves of which most makes slots; undefined while it is better to wait for more. Among equals it is chance that chooses: the order in which they came back would tell which they are.
 *
 * @param random - uniform in [0, 1)
 */
export function chooseJoining(
  leaves: readonly SmallLeaf[],
  unitsPerSlot: number,
  random: () => number,
): readonly SmallLeaf[] | undefined {
  const drawn = shuffled(leaves, random).slice(0, MAX_CHOICE_LEAVES)
  let best: readonly SmallLeaf[] | undefined
  let most = leaves.length < MAX_JOINED_LEAVES ? LEAST_YIELD_OF_FEW : LEAST_YIELD
  for (const choice of choicesOf(drawn)) {
    const share = yieldOf(choice, unitsPerSlot)
    if (share < most || (best && share === most)) continue
    best = choice
    most = share
  }
  return best
}

/** The part of the units that is in slots once they are joined. */
function yieldOf(leaves: readonly SmallLeaf[], unitsPerSlot: number): number {
  const units = leaves.reduce((sum, leaf) => sum + leaf.units, 0)
  if (units > MAX_LEAF_UNITS) return 0
  return (Math.floor((units - JOIN_FEE_UNITS) / unitsPerSlot) * unitsPerSlot) / units
}

function* choicesOf(
  leaves: readonly SmallLeaf[],
  chosen: readonly SmallLeaf[] = [],
): Generator<readonly SmallLeaf[]> {
  if (chosen.length >= 2) yield chosen
  if (chosen.length === MAX_JOINED_LEAVES) return
  for (const [at, leaf] of leaves.entries())
    yield* choicesOf(leaves.slice(at + 1), [...chosen, leaf])
}

function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  return items
    .map((item) => ({ item, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item)
}
