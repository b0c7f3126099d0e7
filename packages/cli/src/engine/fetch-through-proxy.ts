/** Fetches a page through a running HTTP proxy and takes the time, as an application would. */
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'

export type Fetched = {
  readonly status: number
  readonly bytes: number
  readonly firstByteMs: number
  readonly totalMs: number
}

/** A page over the loopback takes milliseconds; the first circuits of a busy machine take longer. */
const FETCH_TIMEOUT_MS = 30_000

/** Fetches `http://…` through `http://ADDRESS:PORT`; rejects when the proxy or the connection fails, or the signal aborts. */
export async function fetchThroughProxy(
  proxy: string,
  url: string,
  signal: AbortSignal,
): Promise<Fetched> {
  const { hostname, port } = new URL(proxy)
  const beganMs = performance.now()
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
  const headers = { host: new URL(url).host, connection: 'close' }
  const asked = request({ host: hostname, port, path: url, headers, signal: limit }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const firstByteMs = performance.now() - beganMs
  let bytes = 0
  for await (const part of response) bytes += (part as Buffer).length
  return {
    status: response.statusCode ?? 0,
    bytes,
    firstByteMs,
    totalMs: performance.now() - beganMs,
  }
}
