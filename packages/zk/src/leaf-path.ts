/**
 * A leaf's place in the tree as the programs take it (`zk-programs/lib/lean-imt.circom`).
 * @module
 */

/** Levels that a path may have. */
export const MAX_SLOT_DEPTH = 26

/** From the leaf upwards; a level without a sibling is left out. */
export type LeafPath = readonly { readonly sibling: bigint; readonly isLeft: boolean }[]

/** The signals of one path, filled up to the greatest depth. */
export type PathInput = {
  readonly active: readonly bigint[]
  readonly isRight: readonly bigint[]
  readonly siblings: readonly bigint[]
}

/** Makes the signals of a path. */
export function pathInput(path: LeafPath): PathInput {
  const level = (of: (step: LeafPath[number]) => bigint): bigint[] =>
    Array.from({ length: MAX_SLOT_DEPTH }, (_, i) => (path[i] ? of(path[i]) : 0n))
  return {
    active: level(() => 1n),
    isRight: level(({ isLeft }) => (isLeft ? 1n : 0n)),
    siblings: level(({ sibling }) => sibling),
  }
}
