/**
 * The tree of deposits (SPEC §13.2), which still knows every tree that it was: the contract publishes roots of the past, and says of none how many leaves it had. Nodes over
 * whole subtrees never change, so each is hashed once, and a former root takes one hash for each level (docs/adr/0012-proving.md).
 * @module
 */
import type { LeafTree, TreePath } from './ticket-ports.ts'

/** Hashes two nodes to the one above. */
export type NodeHash = (left: bigint, right: bigint) => bigint

/** Creates an empty tree. */
export function createTreeOver(hash: NodeHash): LeafTree {
  return new Tree(hash)
}

class Tree implements LeafTree {
  readonly #hash: NodeHash
  /** By level, from the leaves up: the nodes over whole subtrees. */
  readonly #levels: bigint[][] = [[]]

  constructor(hash: NodeHash) {
    this.#hash = hash
  }

  get size(): number {
    return this.#levels[0]?.length ?? 0
  }

  get root(): bigint {
    return this.rootAt(this.size)
  }

  insert(leaf: bigint): void {
    let node = leaf
    for (let level = 0; ; level++) {
      const nodes = (this.#levels[level] ??= [])
      nodes.push(node)
      if (nodes.length % 2 === 1) return
      node = this.#hash(nodes.at(-2) ?? 0n, node)
    }
  }

  rootAt(size: number): bigint {
    return this.#edgeAt(size).at(-1) ?? 0n
  }

  pathOf(index: number, size: number = this.size): TreePath | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= size || size > this.size) return undefined
    const edge = this.#edgeAt(size)
    const siblings: bigint[] = []
    let pathBits = 0
    for (let level = 0; level < edge.length - 1; level++) {
      const place = Math.floor(index / 2 ** level)
      const other = place % 2 === 0 ? place + 1 : place - 1
      const last = nodesAt(size, level) - 1
      // A level without a sibling is left out: the node moves up as it is.
      if (other > last) continue
      pathBits += (place % 2) * 2 ** siblings.length
      siblings.push((other === last ? edge[level] : this.#levels[level]?.[other]) ?? 0n)
    }
    return { pathBits, siblings }
  }

  /** The last node of each level in the tree of so many leaves, the root last: the only ones that may stand over less than a whole subtree. */
  #edgeAt(size: number): readonly bigint[] {
    const edge: bigint[] = []
    const levels = size > 0 ? 1 + Math.ceil(Math.log2(size)) : 0
    for (let level = 0; level < levels; level++)
      edge.push(this.#lastNode(size, level, edge.at(-1) ?? 0n))
    return edge
  }

  /** @param below - the last node one level below */
  #lastNode(size: number, level: number, below: bigint): bigint {
    const last = nodesAt(size, level) - 1
    const isWhole = Math.floor(size / 2 ** level) > last
    if (isWhole) return this.#levels[level]?.[last] ?? 0n
    const hasSibling = nodesAt(size, level - 1) % 2 === 0
    return hasSibling ? this.#hash(this.#levels[level - 1]?.[2 * last] ?? 0n, below) : below
  }
}

/** Nodes of a level in a tree of so many leaves. */
function nodesAt(size: number, level: number): number {
  return Math.ceil(size / 2 ** level)
}
