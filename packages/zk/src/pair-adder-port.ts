/** What adds pairs of points, many at once. Port of the multi-exponentiation; `pair-adder.ts` and `plain-pairs.ts` implement it. @module */

/** Adds pairs of points, which it keeps in a form of its own. */
export interface PairAdder {
  /** Of a point in that form: a multiple of eight. */
  readonly pointBytes: number
  /** Sums of one list. */
  readonly most: number
  /** For each sum three addresses: two points, each negated where its address is odd, and where the sum goes, which may be where one of the two stands. No sum reads what another writes. */
  readonly list: Uint32Array
  /** Brings affine points, none of them the identity, into that form. */
  place(points: number, count: number, to: number): void
  /** Makes the first so many sums. Returns where those were to go that are the identity: nothing is written there. The list is used up. */
  add(count: number): readonly number[]
  /** Writes a point, negated where its address is odd, as the library has affine points. */
  show(point: number, to: number): void
}
