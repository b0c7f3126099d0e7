/** A client's joinings played over many months, by the choice that the client makes (SPEC §14.6): what comes back of slots less a relayer's fee, and what a joining leaves over, is joined again. */
import { JOIN_FEE_UNITS } from '../../packages/protocol/src/ticket/joining.ts'
import type { LeafRest } from '../../packages/client/src/money/ports.ts'
import { chooseJoining } from '../../packages/client/src/returns/choose-joining.ts'

/** How many slots come back in a month, by what was won in them. */
export type Returned = { readonly unwon: number; readonly once: number; readonly full: number }

/** Units of each kind of leaf, and of a slot. */
export type Sizes = {
  readonly slot: number
  readonly unwon: number
  readonly once: number
  readonly full: number
}

/** Of a month on average, in units, but for `left`, which is there at the end. */
export type Joinings = {
  readonly count: number
  readonly fees: number
  readonly cameBack: number
  readonly inSlots: number
  /** Not in a joining yet, averaged over time. */
  readonly waiting: number
  /** In how many leaves that is. */
  readonly rests: number
  /** What is left of it where each is paid out less so many units as a joining pays: to who stops then. */
  readonly paidOut: number
  readonly left: number
}

/** @param random - uniform in [0, 1) */
export function playJoinings(
  returned: Returned,
  sizes: Sizes,
  months: number,
  random: () => number,
): Joinings {
  const all = returned.unwon + returned.once + returned.full
  const leaves = Math.round(all * months)
  const sum = { joined: 0, cameBack: 0, inSlots: 0, waiting: 0, rests: 0, paidOut: 0 }
  let free: readonly LeafRest[] = []
  const keep = (units: number): void => {
    if (units > 0) free = [...free, { rest: new Uint8Array(32), units }]
  }
  for (let at = 0; at < leaves; at++) {
    const drawn = random() * all
    const isUnwon = drawn < returned.unwon
    const units = isUnwon ? sizes.unwon : drawn < all - returned.full ? sizes.once : sizes.full
    keep(units)
    sum.cameBack += units
    const chosen = chooseJoining(free, sizes.slot, random)
    if (chosen) {
      const left = unitsOf(chosen) - JOIN_FEE_UNITS
      free = free.filter((rest) => !chosen.includes(rest))
      keep(left % sizes.slot)
      sum.joined++
      sum.inSlots += left - (left % sizes.slot)
    }
    sum.waiting += unitsOf(free) / leaves
    sum.rests += free.length / leaves
    for (const { units: each } of free) sum.paidOut += Math.max(0, each - JOIN_FEE_UNITS) / leaves
  }
  return {
    count: sum.joined / months,
    fees: (sum.joined * JOIN_FEE_UNITS) / months,
    cameBack: sum.cameBack / months,
    inSlots: sum.inSlots / months,
    waiting: sum.waiting,
    rests: sum.rests,
    paidOut: sum.paidOut,
    left: unitsOf(free),
  }
}

function unitsOf(rests: readonly LeafRest[]): number {
  return rests.reduce((sum, { units }) => sum + units, 0)
}
