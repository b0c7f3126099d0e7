/**
 * All leaves of the pool, in order, and the tree over them as it was under a published root. The client reads the whole set, so that nobody learns which leaf it looks for.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { LeafTree, TreePath } from '@byway/protocol/crypto'
import type { DepositLeaf, PublishedRoot } from '@byway/protocol/payment'
import { moneyError } from './errors.ts'

/** What is looked up on the chain. */
export interface DepositChain {
  /** Every leaf from index `from` on, in order. */
  leaves(from: number, signal: AbortSignal): Promise<readonly DepositLeaf[]>
  /** The root to prove against now; undefined before the first. */
  newestRoot(signal: AbortSignal): Promise<PublishedRoot | undefined>
}

/** The leaves as far as they are read. */
export interface LeafBook {
  /** Reads what is new. @throws what the chain throws, or the signal's reason */
  refresh(signal: AbortSignal): Promise<void>
  /** Whether a leaf was there at the last look. */
  has(leaf: bigint): boolean
  /**
   * The way from a leaf up to this root; undefined for a leaf that came after it.
   * @throws DEPOSIT_TOO_NEW when the leaves do not have this root; what the chain throws, or the signal's reason
   */
  pathUnder(root: bigint, leaf: bigint, signal: AbortSignal): Promise<TreePath | undefined>
}

/** Creates an empty book. */
export function createLeafBook(deps: {
  readonly chain: Pick<DepositChain, 'leaves'>
  readonly createTree: () => LeafTree
}): LeafBook {
  let leaves: bigint[] = []
  /** The tree as it was under the root last asked for. */
  let tree = deps.createTree()
  /** Whoever looks up a path: the tree is shared. */
  let last: Promise<unknown> = Promise.resolve()

  async function refresh(signal: AbortSignal): Promise<void> {
    const [into, from] = [leaves, leaves.length]
    const more = await deps.chain.leaves(from, signal)
    // Somebody else may have read the same meanwhile, or begun anew.
    if (into !== leaves) return
    for (const { leaf } of more.slice(into.length - from)) into.push(leaf)
  }

  /** Inserts leaves until the tree has this root. The contract publishes roots of the past: what came after them is left out. */
  async function grow(root: bigint): Promise<boolean> {
    for (let at = tree.size; at < leaves.length; at++) {
      tree.insert(leaves[at] ?? 0n)
      if (tree.root === root) return true
      // Some milliseconds each in a large tree: cells go between them.
      await setImmediate()
    }
    return false
  }

  async function growTo(root: bigint, signal: AbortSignal): Promise<void> {
    if (tree.root === root) return
    await refresh(signal)
    if (await grow(root)) return
    // An older root than the last one, or the chain was reorganised under us: from the beginning, once.
    tree = deps.createTree()
    leaves = []
    await refresh(signal)
    if (!(await grow(root))) throw moneyError('DEPOSIT_TOO_NEW', {})
  }

  /** Where the leaf is may have changed with the chain: it is looked up once the tree has the root. */
  async function findPath(root: bigint, leaf: bigint, signal: AbortSignal) {
    await growTo(root, signal)
    const index = leaves.indexOf(leaf)
    return index < 0 ? undefined : tree.pathOf(index)
  }

  return {
    refresh,
    has: (leaf) => leaves.includes(leaf),
    pathUnder(root, leaf, signal) {
      const path = last.then(() => findPath(root, leaf, signal))
      last = path.catch(() => {})
      return path
    },
  }
}
