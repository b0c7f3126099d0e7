/**
 * All leaves of the pool, in order, and the tree over them as it was under a published root. The client reads the whole set, so that nobody learns which leaf it looks for.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { LeafTree, TreePath } from '@byway/protocol/crypto'
import type { DepositLeaf, PublishedRoot } from '@byway/protocol/payment'
import { moneyError } from './errors.ts'
import { createRootSearch } from './root-search.ts'

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

// Local limits (tunable): docs/LIMITS.md.
/** Hashes between two turns of the event loop: some milliseconds. */
const HASHES_A_TURN = 24

/** Creates an empty book. */
export function createLeafBook(deps: {
  readonly chain: Pick<DepositChain, 'leaves'>
  readonly createTree: () => LeafTree
}): LeafBook {
  let leaves: bigint[] = []
  /** Over all of them, or some of the first. */
  let tree = deps.createTree()
  /** What was last asked for, and of how many leaves it is. */
  let found = { root: 0n, size: 0 }
  const search = createRootSearch()
  /** Whoever looks up a path: the tree is shared. */
  let last: Promise<unknown> = Promise.resolve()

  async function refresh(signal: AbortSignal): Promise<void> {
    const [into, from] = [leaves, leaves.length]
    const more = await deps.chain.leaves(from, signal)
    // Somebody else may have read the same meanwhile, or begun anew.
    if (into !== leaves) return
    for (const { leaf } of more.slice(into.length - from)) into.push(leaf)
  }

  /** How many leaves had this root. The contract publishes roots of the past: what came after them is left out. */
  async function sizeUnder(root: bigint, signal: AbortSignal): Promise<number | undefined> {
    const rest = createRest(signal)
    while (tree.size < leaves.length) {
      tree.insert(leaves[tree.size] ?? 0n)
      await rest(1)
    }
    return await search.sizeIn(tree, root, rest)
  }

  /** Reads all leaves again: the chain may have been reorganised under us. True when there is something new to look in. */
  async function readAnew(signal: AbortSignal): Promise<boolean> {
    const again = (await deps.chain.leaves(0, signal)).map(({ leaf }) => leaf)
    const before = leaves
    leaves = again
    const known = before.findIndex((leaf, at) => leaf !== again[at])
    if (known < 0) return again.length > before.length
    // Trees of fewer leaves are as they were.
    tree = deps.createTree()
    if (known < found.size) found = { root: 0n, size: 0 }
    search.changedFrom(known)
    return true
  }

  async function findSize(root: bigint, signal: AbortSignal): Promise<number> {
    if (found.size > 0 && found.root === root) return found.size
    await refresh(signal)
    let size = await sizeUnder(root, signal)
    if (size === undefined) {
      // All leaves are much to read: again after one look in vain, two, four, eight.
      const isDue = Number.isInteger(Math.log2(search.inVain()))
      if (isDue && (await readAnew(signal))) size = await sizeUnder(root, signal)
    }
    if (size === undefined) throw moneyError('DEPOSIT_TOO_NEW', {})
    found = { root, size }
    return size
  }

  async function findPath(root: bigint, leaf: bigint, signal: AbortSignal) {
    const size = await findSize(root, signal)
    // Where the leaf is may have changed with the chain.
    const index = leaves.indexOf(leaf)
    return index < 0 ? undefined : tree.pathOf(index, size)
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

/** Lets cells go now and then. What it gives is told how many hashes were made. @throws the signal's reason */
function createRest(signal: AbortSignal): (hashes: number) => Promise<void> {
  let made = 0
  return async (hashes) => {
    made += hashes
    if (made < HASHES_A_TURN) return
    made = 0
    await setImmediate()
    signal.throwIfAborted()
  }
}
