/** What a tunnel's cells brought: bytes that an application asked for, and how fast they came. An exit is paid for no others (SPEC §15.3). Pure. @module */
import { createGoodputMeter, type Transfer } from './goodput-meter.ts'

/** Counts cell by cell. */
export interface TunnelIntake {
  /** A cell is being read. */
  begin(): void
  /** It held so much payload for whoever is there. */
  onUseful(bytes: number): void
  /** A stream was reset from this side: what was granted and is under way was asked for. */
  onReset(): void
  /** It is read; gives what of its bytes was asked for. */
  end(cellBytes: number): number
  /** What the path has brought in a busy second that is over by now, if one is. */
  take(nowMs: number): Transfer | undefined
  /** The same when the path ends. */
  finish(): Transfer | undefined
}

/** Creates the count of one tunnel. */
export function createTunnelIntake(): TunnelIntake {
  const goodput = createGoodputMeter()
  let usefulBytes = 0
  /** Payload that may still come for streams that were reset here. */
  let strayBytes = 0
  return {
    begin: () => void (usefulBytes = 0),
    onUseful: (bytes) => void (usefulBytes += bytes),
    onReset: () => void (strayBytes += MAX_STRAY_BYTES),
    end(cellBytes) {
      const stray = Math.min(strayBytes, Math.max(0, cellBytes - usefulBytes))
      strayBytes -= stray
      return usefulBytes + stray
    },
    take: (nowMs) => goodput.take(usefulBytes, nowMs),
    finish: () => goodput.end(),
  }
}

/** The widest window of a stream (SPEC §8.3). */
const MAX_STRAY_BYTES = 4 * 1024 * 1024
