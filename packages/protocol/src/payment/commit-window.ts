/**
 * The reveals and commits of the indices that a ticket may come for (SPEC §15.2), so that they are made once: in one piece of eight
 * kilobytes, where two hundred arrays would take six times that.
 * @module
 */
import { commitOf, revealOf } from '@byway/protocol/ticket'
import type { HmacKey, TicketCrypto } from '@byway/protocol/crypto'
import { MAX_COMMITS } from '@byway/protocol/wire'

/** A hop's draw for one index. Both are views that the next batch may write over. */
export type Drawn = { readonly reveal: Uint8Array; readonly commit: Uint8Array }

/** Reveals and commits of one slot. */
export interface CommitWindow {
  /** Makes those of `count` indices, at most {@link MAX_COMMITS}, and gives the commits as arrays of their own. */
  draw(firstIndex: number, count: number): Uint8Array[]
  /** Those of an index that is among the last two batches. */
  at(index: number): Drawn
}

/** Creates a window. It takes its memory at the first batch. */
export function createCommitWindow(
  crypto: TicketCrypto,
  key: HmacKey,
  nullifier: Uint8Array,
): CommitWindow {
  let ring = new Uint8Array(0)
  return {
    draw(firstIndex, count) {
      if (ring.length === 0) ring = new Uint8Array(WINDOW * PAIR_BYTES)
      return Array.from({ length: count }, (_, i) => {
        const reveal = revealOf(crypto, key, nullifier, firstIndex + i)
        const commit = commitOf(crypto, reveal)
        const place = placeOf(firstIndex + i)
        ring.set(reveal, place)
        ring.set(commit, place + HASH_BYTES)
        return commit
      })
    },
    at(index) {
      const place = placeOf(index)
      return {
        reveal: ring.subarray(place, place + HASH_BYTES),
        commit: ring.subarray(place + HASH_BYTES, place + PAIR_BYTES),
      }
    },
  }
}

function placeOf(index: number): number {
  return (index % WINDOW) * PAIR_BYTES
}

/** A batch goes out when fewer than a batch are unused: two of them hold every unused index. */
const WINDOW: number = 2 * MAX_COMMITS
const HASH_BYTES = 32
const PAIR_BYTES: number = 2 * HASH_BYTES
