/**
 * Poseidon (poseidon-lite) and the tree of deposits (LeanIMT of @zk-kit/lean-imt), both as the contracts compute them.
 * @module
 */
import { assert } from '@byway/protocol/base'
import { LeanIMT } from '@zk-kit/lean-imt'
import { poseidon1 } from 'poseidon-lite/poseidon1'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon3 } from 'poseidon-lite/poseidon3'
import { FIELD_ORDER, type LeafTree, type Poseidon, type TreePath } from './ticket-ports.ts'

/** The production implementation. */
export const nodePoseidon: Poseidon = {
  poseidon1: (a) => poseidon1([element(a)]),
  poseidon2: (a, b) => poseidon2([element(a), element(b)]),
  poseidon3: (a, b, c) => poseidon3([element(a), element(b), element(c)]),
}

/** Creates a tree with these leaves. */
export function createLeafTree(leaves: readonly bigint[] = []): LeafTree {
  return new Tree(leaves)
}

class Tree implements LeafTree {
  readonly #tree: LeanIMT

  constructor(leaves: readonly bigint[]) {
    const hash = (a: bigint, b: bigint): bigint => nodePoseidon.poseidon2(a, b)
    this.#tree = new LeanIMT(hash, [...leaves])
  }

  get size(): number {
    return this.#tree.size
  }

  get root(): bigint {
    return this.#tree.size === 0 ? 0n : this.#tree.root
  }

  insert(leaf: bigint): void {
    this.#tree.insert(leaf)
  }

  insertMany(leaves: readonly bigint[]): void {
    if (leaves.length > 0) this.#tree.insertMany([...leaves])
  }

  pathOf(index: number): TreePath | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.#tree.size) return undefined
    // The library's `index` of a proof is the path without the levels that have no sibling.
    const { index: pathBits, siblings } = this.#tree.generateProof(index)
    return { pathBits, siblings }
  }
}

/** The library reduces what is too large: two names for one element must not come in. */
function element(value: bigint): bigint {
  assert(value >= 0n && value < FIELD_ORDER, 'an element is below the order of its field')
  return value
}
