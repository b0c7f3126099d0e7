/** The forgery of the two-input leaf: a depositor of one slot passes inner values of the tree off as a leaf of 65 535 units, by a path that is deeper than the tree. */
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import type { LeafPath } from '@byway/zk'
import { leafOf, pathOf, TAG, treeOf } from './tree-kit.ts'

export const FORGER = 424_242n
export const FORGED_LIMIT = 65_535
/** What the contract saw: one slot of five units. */
const PAID = 5n

export type Forgeries = {
  /** Of the tree that the contract keeps. */
  readonly root: bigint
  /** Where the forger says the leaf of 65 535 units is. */
  readonly paths: readonly LeafPath[]
}

/** Of the tree that a contract makes with these leaves, all paths that a forger may try. What the forger chooses is `idc`. */
export function forgeLeaves(
  contractLeaf: (idc: bigint, limit: bigint, tag: bigint) => bigint,
): Forgeries {
  const others = Array.from({ length: 10 }, (_, i) => leafOf(BigInt(1000 + i), 40))
  const own = poseidon1([FORGER])
  const choices = [
    poseidon2([own, BigInt(FORGED_LIMIT)]),
    poseidon3([own, BigInt(FORGED_LIMIT), TAG]),
  ]
  const tree = treeOf([...others, ...choices.map((idc) => contractLeaf(idc, PAID, TAG))])
  const paths = choices.flatMap((idc, place) => {
    const path = pathOf(tree, others.length + place)
    const deeper = [PAID, TAG, idc].flatMap((sibling) =>
      [false, true].map((isLeft) => [{ sibling, isLeft }, ...path]),
    )
    const deepest = deeper.map((each) => [{ sibling: TAG, isLeft: false }, ...each])
    return [path, ...deeper, ...deepest]
  })
  return { root: tree.root, paths }
}
