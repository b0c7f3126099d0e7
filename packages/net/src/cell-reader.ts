/**
 * Cuts a byte stream into cells (SPEC §4.1). A cell that arrives as one chunk, as a cell in a TLS record of its own does, is
 * passed on without a copy; others are put together or cut out. Whether a cell is allowed is the link machine's business.
 * @module
 */
import { CELL_HEADER_BYTES, cellBytesOf, readKind } from '@byway/protocol/wire'

/** Cuts one direction of one link. Holds at most one incomplete cell. */
export interface CellReader {
  /**
   * Takes the next bytes.
   *
   * @param isOwned - true when the chunk is the caller's to give away
   * @returns true when the chunk itself was passed on as a cell and is no longer the caller's
   */
  read(chunk: Uint8Array, isOwned: boolean): boolean
}

/** Creates a reader; `onCell` gets each whole cell, which becomes its own, and stops the reading by returning false. */
export function createCellReader(onCell: (cell: Uint8Array) => boolean): CellReader {
  return new Reader(onCell)
}

class Reader implements CellReader {
  readonly #onCell: (cell: Uint8Array) => boolean
  readonly #header = new Uint8Array(CELL_HEADER_BYTES)
  #partial: Uint8Array | undefined
  #filledBytes = 0

  constructor(onCell: (cell: Uint8Array) => boolean) {
    this.#onCell = onCell
  }

  read(chunk: Uint8Array, isOwned: boolean): boolean {
    if (isOwned && this.#filledBytes === 0 && isOneCell(chunk)) {
      this.#onCell(chunk)
      return true
    }
    let at = 0
    while (at < chunk.length) {
      at += this.#partial ? this.#fillCell(this.#partial, chunk, at) : this.#fillHeader(chunk, at)
      if (this.#partial && this.#filledBytes === this.#partial.length && !this.#emit()) break
    }
    return false
  }

  #emit(): boolean {
    const cell = this.#partial
    this.#partial = undefined
    this.#filledBytes = 0
    return cell === undefined || this.#onCell(cell)
  }

  /** Collects the header first: only then is the cell's size known. */
  #fillHeader(chunk: Uint8Array, at: number): number {
    const taken = Math.min(CELL_HEADER_BYTES - this.#filledBytes, chunk.length - at)
    this.#header.set(chunk.subarray(at, at + taken), this.#filledBytes)
    this.#filledBytes += taken
    if (this.#filledBytes === CELL_HEADER_BYTES) {
      this.#partial = new Uint8Array(cellBytesOf(readKind(this.#header)))
      this.#partial.set(this.#header)
    }
    return taken
  }

  #fillCell(cell: Uint8Array, chunk: Uint8Array, at: number): number {
    const taken = Math.min(cell.length - this.#filledBytes, chunk.length - at)
    cell.set(chunk.subarray(at, at + taken), this.#filledBytes)
    this.#filledBytes += taken
    return taken
  }
}

function isOneCell(chunk: Uint8Array): boolean {
  return chunk.length >= CELL_HEADER_BYTES && cellBytesOf(readKind(chunk)) === chunk.length
}
