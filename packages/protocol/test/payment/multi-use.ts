/**
 * What a cheat gains who shows one slot to many hops at once (DESIGN §7.1): each hop serves units for tickets until it learns from the chain that another has the slot. Simulated unit by unit;
 * `node --conditions=byway:source packages/protocol/test/payment/multi-use.ts` prints the table of docs/adr/0014-pool.md.
 */
import { seededRandom } from '../circuit/seeded.ts'

/** 1 MiB (SPEC §13.1). */
const UNIT_BYTES = 2 ** 20

export type MultiUse = {
  readonly hops: number
  /** All that the cheat can pull, over all hops, bytes a second. */
  readonly bytesPerS: number
  /** From a win until every other hop has seen that the slot is taken. */
  readonly latencyS: number
  /** A ticket of a unit wins with this chance. */
  readonly winChance: number
  readonly winsPerSlot: number
}

/** What was served for one slot. */
export type Served = {
  readonly units: number
  /** By hops that were not paid, after the first win. */
  readonly unpaidUnits: number
}

/** The bytes that a slot buys on average beyond its wins, at most: `C·δ`. */
export function formula({ bytesPerS, latencyS }: MultiUse): number {
  return bytesPerS * latencyS
}

/** One slot at all hops, from the first unit to the last win. */
export function useOnce(use: MultiUse, random: () => number): Served {
  const { hops, bytesPerS, latencyS, winChance, winsPerSlot } = use
  const unitS = (UNIT_BYTES * hops) / bytesPerS
  /** When each hop's next unit is done: they began at different times. */
  const next = Array.from({ length: hops }, () => random() * unitS)
  let [units, unpaidUnits, wins] = [0, 0, 0]
  let binder = -1
  let endsAtS = Number.POSITIVE_INFINITY
  for (;;) {
    const hop = earliest(next, (i, atS) => {
      if (binder < 0) return true
      return i === binder ? wins < winsPerSlot : atS < endsAtS
    })
    // The binder has paid all wins, and everybody else has seen the first.
    if (hop === undefined) return { units, unpaidUnits }
    const atS = next[hop] ?? 0
    next[hop] = atS + unitS
    units++
    const isWin = random() < winChance
    if (binder < 0 && isWin) {
      binder = hop
      wins = 1
      endsAtS = atS + latencyS
    } else if (hop === binder) wins += isWin ? 1 : 0
    // Its win comes too late: the slot is another's.
    else if (binder >= 0) unpaidUnits++
  }
}

/** The hop that is done with a unit next, of those that still serve. */
function earliest(
  next: readonly number[],
  serves: (hop: number, atS: number) => boolean,
): number | undefined {
  let best: number | undefined
  for (const [hop, atS] of next.entries()) {
    if (serves(hop, atS) && atS < (next[best ?? -1] ?? Number.POSITIVE_INFINITY)) best = hop
  }
  return best
}

/** Mean bytes beyond what the wins pay for on average, and the standard error of the mean. */
export function simulate(
  use: MultiUse,
  slots: number,
  seed: number,
): { readonly gainBytes: number; readonly errorBytes: number; readonly unpaidBytes: number } {
  const random = seededRandom(seed)
  const paidUnits = use.winsPerSlot / use.winChance
  const runs = Array.from({ length: slots }, () => useOnce(use, random))
  const mean = runs.reduce((sum, { units }) => sum + units, 0) / slots
  const variance = runs.reduce((sum, { units }) => sum + (units - mean) ** 2, 0) / slots
  const unpaid = runs.reduce((sum, { unpaidUnits }) => sum + unpaidUnits, 0) / slots
  return {
    gainBytes: (mean - paidUnits) * UNIT_BYTES,
    errorBytes: Math.sqrt(variance / slots) * UNIT_BYTES,
    unpaidBytes: unpaid * UNIT_BYTES,
  }
}

/** Start values of DESIGN §7.2 at a step in price that makes a slot a hundred units, which a simulation has done sooner; the gain does not depend on it. */
export const CASES: readonly MultiUse[] = [
  { hops: 5, bytesPerS: 12.5e6, latencyS: 2, winChance: 1 / 50, winsPerSlot: 2 },
  { hops: 5, bytesPerS: 62.5e6, latencyS: 2, winChance: 1 / 50, winsPerSlot: 2 },
  { hops: 20, bytesPerS: 62.5e6, latencyS: 2, winChance: 1 / 50, winsPerSlot: 2 },
  { hops: 20, bytesPerS: 62.5e6, latencyS: 4, winChance: 1 / 50, winsPerSlot: 8 },
  { hops: 1000, bytesPerS: 625e6, latencyS: 2, winChance: 1 / 50, winsPerSlot: 2 },
]

if (import.meta.main) {
  for (const use of CASES) {
    const { gainBytes, errorBytes } = simulate(use, 2000, 1)
    const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
    console.log(
      `${use.hops} hops, ${mb(use.bytesPerS)} MB/s, ${use.latencyS} s: gain ${mb(gainBytes)} ± ${mb(errorBytes)} MB, at most ${mb(formula(use))} MB`,
    )
  }
}
