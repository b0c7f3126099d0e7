/**
 * When a connected stream that carries nothing is closed: a slow-loris limit towards both sides. Pure; the stream's pump asks
 * now and then and closes with IDLE (SPEC §12.2). Streams that have carried bytes both ways are never idle here.
 */

/** What a stream has carried since it was connected. */
export type FirstData = {
  readonly connectedAtMs: number
  readonly clientBytes: number
  readonly serverBytes: number
  /** When the client's last byte came; the time of connecting if none has. */
  readonly lastClientByteAtMs: number
}

/** Says whether the stream may stay open. */
export function judgeFirstData(stream: FirstData, nowMs: number): 'keep' | 'close' {
  if (stream.clientBytes === 0) {
    return nowMs - stream.connectedAtMs >= FIRST_CLIENT_BYTE_MS ? 'close' : 'keep'
  }
  if (stream.serverBytes > 0) return 'keep'
  return nowMs - stream.lastClientByteAtMs >= FIRST_SERVER_BYTE_MS ? 'close' : 'keep'
}

// Local limits (tunable).
const FIRST_CLIENT_BYTE_MS = 10_000
const FIRST_SERVER_BYTE_MS = 60_000
