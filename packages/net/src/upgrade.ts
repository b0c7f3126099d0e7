/**
 * The HTTP/1.1 Upgrade as a dialler writes and reads it (SPEC §3.2). Strict and small: a head of at most 2 KiB, status 101 or nothing.
 * @module
 */

/** Writes the request. `host` is the listener's address, with the port unless it is 443. */
export function upgradeRequest(host: string, port: number, token: string): string {
  const shown = host.includes(':') ? `[${host}]` : host
  const authority = port === 443 ? shown : `${shown}:${port}`
  return [
    `GET /${token} HTTP/1.1`,
    `Host: ${authority}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    '',
    '',
  ].join('\r\n')
}

/** The response of a listener that takes the link; the proof of SPEC §3.3 follows it. */
export const UPGRADE_RESPONSE: string = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  '',
  '',
].join('\r\n')

/** A head that was read. */
export type ResponseHead = { readonly status: number; readonly headBytes: number }

/**
 * Reads the head of a response, if it is all there.
 *
 * @returns `undefined` when more is needed; status 0 for what is not HTTP/1.1 or too long
 */
export function readResponseHead(bytes: Uint8Array): ResponseHead | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const end = text.slice(0, MAX_HEAD_BYTES).indexOf('\r\n\r\n')
  const isHttp = STATUS_LINE.slice(0, text.length) === text.slice(0, STATUS_LINE.length)
  if (!isHttp) return { status: 0, headBytes: 0 }
  if (end < 0) return text.length < MAX_HEAD_BYTES ? undefined : { status: 0, headBytes: 0 }
  const status = /^HTTP\/1\.1 ([1-5]\d\d)[ \r]/.exec(text)?.[1]
  return { status: Number(status ?? 0), headBytes: end + 4 }
}

const STATUS_LINE = 'HTTP/1.1 '
/** Local limit: an ordinary head is far shorter. */
const MAX_HEAD_BYTES = 2048
