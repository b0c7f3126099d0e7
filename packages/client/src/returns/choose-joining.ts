/** Which rests become one leaf (SPEC §14.6). @module */
import { shuffled } from '../engine/shuffled.ts'
import { JOIN_FEE_UNITS, MAX_LEAF_UNITS } from '@byway/protocol/ticket'
import { MAX_JOINED_LEAVES } from '@byway/protocol/wire'
import type { LeafRest } from '../money/ports.ts'

// Local limits (tunable): docs/LIMITS.md.
/** So much of the joined units must make slots again: what is left over has to be joined once more, and the fee is gone. */
const LEAST_YIELD = 0.75
/** While fewer rests wait than one proof joins: better ones may come. */
const LEAST_YIELD_OF_FEW = 0.95

/**
 * Two to four rests of which most makes slots; undefined while it is better to wait for more. Of those of one size it is chance that chooses: the order in which they came back would tell
 * which they are. All sizes are looked at: of a few drawn by chance most would in time be small ones, which fill up what others leave over and make nothing alone.
 *
 * @param random - uniform in [0, 1)
 */
export function chooseJoining(
  rests: readonly LeafRest[],
  unitsPerSlot: number,
  random: () => number,
): readonly LeafRest[] | undefined {
  const sizes = Map.groupBy(shuffled(rests, random), ({ units }) => units)
  let best: readonly LeafRest[] | undefined
  let most = rests.length < MAX_JOINED_LEAVES ? LEAST_YIELD_OF_FEW : LEAST_YIELD
  for (const choice of choicesOf([...sizes.values()])) {
    const share = yieldOf(choice, unitsPerSlot)
    if (share < most || (best && share === most)) continue
    best = choice
    most = share
  }
  return best
}

/** The part of the units that is in slots once they are joined. */
function yieldOf(rests: readonly LeafRest[], unitsPerSlot: number): number {
  const units = rests.reduce((sum, rest) => sum + rest.units, 0)
  if (units > MAX_LEAF_UNITS) return 0
  return (Math.floor((units - JOIN_FEE_UNITS) / unitsPerSlot) * unitsPerSlot) / units
}

/** One choice for each set of sizes: rests of one size are as good as each other. */
function* choicesOf(
  sizes: readonly (readonly LeafRest[])[],
  chosen: readonly LeafRest[] = [],
): Generator<readonly LeafRest[]> {
  if (chosen.length >= 2) yield chosen
  if (chosen.length === MAX_JOINED_LEAVES) return
  for (const [at, [one, ...others]] of sizes.entries())
    if (one) yield* choicesOf([others, ...sizes.slice(at + 1)], [...chosen, one])
}
