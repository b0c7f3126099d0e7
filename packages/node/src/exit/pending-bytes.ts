/**
 * Bytes of a stream that wait for their target: views into cells, in order. A view that would keep a much larger cell alive is
 * copied into a shared block, so that what is held stays near what is counted, however small the pieces are.
 */

/** A queue of bytes; its size is bounded by the stream's window (SPEC §8.3). */
export interface PendingBytes {
  readonly bytes: number
  push(piece: Uint8Array): void
  /** Hands out everything and leaves the queue empty. */
  takeAll(): readonly Uint8Array[]
  clear(): void
}

/** Creates an empty queue. */
export function createPendingBytes(): PendingBytes {
  return new Pending()
}

class Pending implements PendingBytes {
  bytes = 0
  #pieces: Uint8Array[] = []
  /** The last piece's block, when it has room behind `#used`. */
  #block: Uint8Array | undefined
  #used = 0

  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.bytes += piece.length
    if (piece.length * WASTE_FACTOR >= piece.buffer.byteLength || piece.length >= BLOCK_BYTES) {
      this.#pieces.push(piece)
      this.#block = undefined
      return
    }
    if (!this.#block || this.#block.length - this.#used < piece.length) {
      this.#block = new Uint8Array(BLOCK_BYTES)
      this.#used = 0
    } else {
      this.#pieces.pop()
    }
    this.#block.set(piece, this.#used)
    this.#used += piece.length
    this.#pieces.push(this.#block.subarray(0, this.#used))
  }

  takeAll(): readonly Uint8Array[] {
    const pieces = this.#pieces
    this.clear()
    return pieces
  }

  clear(): void {
    this.#pieces = []
    this.#block = undefined
    this.bytes = 0
  }
}

// Local limits (tunable).
/** A view is kept while it is at least half of what it keeps alive. */
const WASTE_FACTOR = 2
/** A large cell's worth. */
const BLOCK_BYTES = 16 * 1024
