/**
 * The answers that the proxy itself gives over HTTP. They hold nothing of the request.
 * @module
 */
import { STATUS_CODES } from 'node:http'
import { proxyStatusOf, replyFor } from './reply-codes.ts'
import type { RefusalCode } from './reply-codes.ts'

/** A refusal as status, fields and body. */
export type HttpRefusal = {
  readonly status: number
  readonly fields: readonly string[]
  readonly body: string
}

/** What an app is told when its request is refused; the connection closes behind it. */
export function httpRefusal(code: RefusalCode): HttpRefusal {
  const { httpStatus: status, hint } = replyFor(code)
  const body = code === 'ORIGIN_FORM' ? WELCOME : `byway: ${hint}\n`
  const challenge = status === 407 ? { 'Proxy-Authenticate': 'Basic realm="byway"' } : {}
  const fields = Object.entries({
    'Content-Type':
      code === 'ORIGIN_FORM' ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'Proxy-Status': proxyStatusOf(code),
    ...challenge,
    'Cache-Control': 'no-store',
    Connection: 'close',
  }).flat()
  return { status, fields, body }
}

/** The same as bytes, for sockets that no HTTP server holds any more. */
export function httpRefusalBytes(
  code: RefusalCode,
  status: number = replyFor(code).httpStatus,
): Uint8Array {
  const { fields, body } = httpRefusal(code)
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`]
  for (let index = 0; index < fields.length; index += 2)
    lines.push(`${fields[index]}: ${fields[index + 1]}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** RFC 9110 §9.3.6: the answer to CONNECT has no body and no framing fields. */
export const CONNECT_ESTABLISHED: Uint8Array = Buffer.from(
  'HTTP/1.1 200 Connection established\r\n\r\n',
)

const WELCOME = `<!doctype html><meta charset="utf-8"><title>Byway</title>
<h1>This is Byway’s local proxy</h1>
<p>It is not a web page. Set this address and port as the SOCKS5 or HTTP proxy of your browser, or try</p>
<pre>curl -x socks5h://127.0.0.1:1080 https://example.com/</pre>
`
