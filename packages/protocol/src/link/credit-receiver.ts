/**
 * When to tell the peer how much was read (SPEC §8.4): the receiver's half of link credit.
 * The count itself rides in the header of every cell; this says when a cell must be sent for its sake alone.
 * @module
 */

// Protocol constants (change needs a spec change): SPEC §8.4.
const MIN_UNREPORTED_BYTES = 16 * 1024
const MAX_UNREPORTED_BYTES = 256 * 1024
const REPORT_EVERY_MS = 4

/** How long 16 KiB may stay unreported when the peer has paused: it may be waiting for just this report. */
export const REPORT_DELAY_MS = 2

/** Smoothing of the rate that is read: half of what it was after eight bursts. */
const RATE_WEIGHT = 1 / 8

/** Receiver's half of link credit. */
export interface CreditReceiver {
  /** Bytes of cells read since the link began, modulo 2^32: what goes into each header. */
  readonly readBytes: number
  onRead(bytes: number): void
  /** Called when a cell with the count was handed to the socket. */
  onReported(): void
  /** At the end of a burst of reads: true when a report must go now. */
  isDue(nowMs: number): boolean
  /** True when 16 KiB or more are unreported: the driver looks again after {@link REPORT_DELAY_MS}. */
  isWaiting(): boolean
}

/** Creates the receiver's half for one link. */
export function createCreditReceiver(nowMs: number): CreditReceiver {
  let readBytes = 0
  let unreportedBytes = 0
  let burstBytes = 0
  let burstAtMs = nowMs
  let ratePerMs = 0

  return {
    get readBytes() {
      return readBytes
    },
    onRead(bytes) {
      readBytes = (readBytes + bytes) >>> 0
      unreportedBytes += bytes
      burstBytes += bytes
    },
    onReported() {
      unreportedBytes = 0
    },
    isDue(now) {
      const spanMs = now - burstAtMs
      if (spanMs >= 1) {
        ratePerMs += (burstBytes / spanMs - ratePerMs) * RATE_WEIGHT
        burstBytes = 0
        burstAtMs = now
      }
      const quantum = Math.max(
        MIN_UNREPORTED_BYTES,
        Math.min(MAX_UNREPORTED_BYTES, ratePerMs * REPORT_EVERY_MS),
      )
      return unreportedBytes >= quantum
    },
    isWaiting() {
      return unreportedBytes >= MIN_UNREPORTED_BYTES
    },
  }
}
