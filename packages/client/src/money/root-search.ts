/** Looks for the size that the tree of deposits had under a root, from the newest down, and remembers where it looked: a root that is none of ours costs each size once. */
import type { LeafTree } from '@byway/protocol/crypto'

// Local limits (tunable): docs/LIMITS.md.
/**
 * Sizes of the tree that one look for a root tries, the newest first: as many leaves may be younger than the newest root. Some ten seconds of processor time for a root that is none of
 * ours. The next look for it goes on below.
 */
const MAX_SIZES_A_LOOK = 4096

/** A search that goes on where it ended, for the root that was asked for last. */
export interface RootSearch {
  /** @param rest - told how many hashes were made; its rejection ends the look */
  sizeIn(
    tree: LeafTree,
    root: bigint,
    rest: (hashes: number) => Promise<void>,
  ): Promise<number | undefined>
  /** Trees of more leaves than this are others now. */
  changedFrom(size: number): void
  /** Notes that nothing was found; gives how often that was so for this root. */
  inVain(): number
}

/** Creates one that has looked nowhere. */
export function createRootSearch(): RootSearch {
  /** No tree of more than `below` and at most `upTo` leaves has the root. */
  let searched = { root: 0n, upTo: 0, below: 0, times: 0 }
  return {
    async sizeIn(tree, root, rest) {
      const newest = tree.size
      if (searched.root !== root) searched = { root, upTo: newest, below: newest, times: 0 }
      const isAt = async (size: number): Promise<boolean> => {
        const isIt = tree.rootAt(size) === root
        await rest(Math.ceil(Math.log2(size + 1)))
        return isIt
      }
      // Few leaves are newer than the newest root, and fewer have come since it was looked for in vain.
      for (let size = newest; size > searched.upTo; size--) if (await isAt(size)) return size
      searched = { ...searched, upTo: newest }
      const least = Math.max(0, searched.below - MAX_SIZES_A_LOOK)
      for (let size = searched.below; size > least; size--) {
        if (await isAt(size)) return size
        searched = { ...searched, below: size - 1 }
      }
      return undefined
    },
    changedFrom(size) {
      searched = { ...searched, upTo: size, below: Math.min(size, searched.below) }
    },
    inVain() {
      searched = { ...searched, times: searched.times + 1 }
      return searched.times
    },
  }
}
