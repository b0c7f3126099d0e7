/**
 * Poseidon (poseidon-lite) and the tree of deposits over it, both as the contracts compute them.
 * @module
 */
import { assert } from '@byway/protocol/base'
import { poseidon1 } from 'poseidon-lite/poseidon1'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon3 } from 'poseidon-lite/poseidon3'
import { createTreeOver } from './leaf-tree.ts'
import { FIELD_ORDER, type LeafTree, type Poseidon } from './ticket-ports.ts'

/** The production implementation. */
export const nodePoseidon: Poseidon = {
  poseidon1: (a) => poseidon1([element(a)]),
  poseidon2: (a, b) => poseidon2([element(a), element(b)]),
  poseidon3: (a, b, c) => poseidon3([element(a), element(b), element(c)]),
}

/** Creates a tree with these leaves. */
export function createLeafTree(leaves: readonly bigint[] = []): LeafTree {
  const tree = createTreeOver((left, right) => nodePoseidon.poseidon2(left, right))
  for (const leaf of leaves) tree.insert(leaf)
  return tree
}

/** The library reduces what is too large: two names for one element must not come in. */
function element(value: bigint): bigint {
  assert(value >= 0n && value < FIELD_ORDER, 'an element is below the order of its field')
  return value
}
