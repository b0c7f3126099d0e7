/**
 * Merkle trees over lists of bytes, as RFC 9162 §2.1 has them: leaf `H(0 ‖ leaf)`, node `H(1 ‖ left ‖ right)`, a node without a right neighbour goes up as it is.
 * @module
 */
import { concatBytes } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'

type Hash = Pick<CryptoProvider, 'sha256'>

/** A tree that can show where each of its leaves stands. */
export interface MerkleTree {
  /** 32 bytes; `H("")` of no leaves. */
  readonly root: Uint8Array
  /** The neighbours on the way from a leaf to the root, 32 bytes each, one after another. */
  path(place: number): Uint8Array
}

/** Builds the tree; it keeps hashes, not the leaves. */
export function createMerkleTree(crypto: Hash, leaves: readonly Uint8Array[]): MerkleTree {
  const levels = [leaves.map((leaf) => crypto.sha256(LEAF, leaf))]
  for (let level = levels[0] ?? []; level.length > 1; levels.push(level))
    level = levelAbove(crypto, level)
  return {
    root: levels.at(-1)?.[0] ?? crypto.sha256(),
    path(place) {
      const beside = levels.map((level, height) => level[(place >> height) ^ 1] ?? NOTHING)
      return concatBytes(...beside)
    },
  }
}

/** The root that a leaf at a place of so many leads to; undefined for a path that such a tree cannot have. */
export function merkleRootOf(
  crypto: Hash,
  leaf: Uint8Array,
  place: number,
  leaves: number,
  path: Uint8Array,
): Uint8Array | undefined {
  if (place >= leaves) return undefined
  let [at, last, step] = [place, leaves - 1, 0]
  let hash = crypto.sha256(LEAF, leaf)
  for (; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    if (at === last && at % 2 === 0) continue
    const beside = path.subarray(step, (step += HASH_BYTES))
    if (beside.length !== HASH_BYTES) return undefined
    hash = at % 2 === 0 ? crypto.sha256(NODE, hash, beside) : crypto.sha256(NODE, beside, hash)
  }
  return step === path.length ? hash : undefined
}

function levelAbove(crypto: Hash, level: readonly Uint8Array[]): Uint8Array[] {
  return level.flatMap((left, at) => {
    if (at % 2 === 1) return []
    const right = level[at + 1]
    return [right ? crypto.sha256(NODE, left, right) : left]
  })
}

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)
const NOTHING = new Uint8Array(0)
const HASH_BYTES = 32
