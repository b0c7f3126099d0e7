/**
 * Padding that a client did not ask for (SPEC §15.3): a hop is paid by the cell, so it could fill cells with nothing, or send empty ones.
 * Nothing stops it from earning a little so; the circuit is closed before it is much.
 * @module
 */

/** The watch over one tunnel's backward cells. */
export interface PaddingWatch {
  /**
   * Counts a cell that came.
   *
   * @param usefulBytes - of its sequenced messages and datagrams
   * @param isActive - streams are open: an answer may come in small pieces
   * @returns false when the circuit must be closed
   */
  onCell(cellBytes: number, usefulBytes: number, nowMs: number, isActive: boolean): boolean
  /** Counts a cell that went: acknowledgements of an upload come in cells of their own. */
  onSent(cellBytes: number): void
}

/** Creates the watch over a fresh tunnel. */
export function createPaddingWatch(nowMs: number): PaddingWatch {
  let excessBytes = 0
  let atMs = nowMs
  let wasActive = true
  return {
    onCell(cellBytes, usefulBytes, now, isActive) {
      const elapsedMs = Math.max(0, now - atMs)
      atMs = Math.max(atMs, now)
      const forgiven = wasActive ? (elapsedMs * ACTIVE_BYTES_PER_S) / 1000 : 0
      wasActive = isActive
      const bulkShare = usefulBytes / PADDING_SHARE
      excessBytes = Math.max(0, excessBytes - forgiven + cellBytes - usefulBytes - bulkShare)
      return excessBytes <= PADDING_ALLOWANCE_BYTES
    },
    onSent(cellBytes) {
      excessBytes = Math.max(0, excessBytes - cellBytes / PADDING_SHARE)
    },
  }
}

// Protocol constants (change needs a spec change): SPEC §15.3.
/** "an eighth of its bulk". */
const PADDING_SHARE = 8
const PADDING_ALLOWANCE_BYTES = 256 * 1024

/** Local limit (tunable): what small answers may waste while a stream is open; cells of 1 KiB with a few words each, sixty-four a second. */
const ACTIVE_BYTES_PER_S = 64 * 1024
