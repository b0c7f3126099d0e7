/**
 * One POST of JSON over HTTP, with a limit on the answer: an endpoint that sends without end costs a connection, not the memory. On Node's own
 * `http`, for `fetch` takes three times the CPU and 25 MB for its first call.
 */
import http from 'node:http'
import https from 'node:https'

/** What came back. Redirections are answers like any other: nobody is followed. */
export type PostAnswer = {
  readonly status: number
  /** `Retry-After` as it was sent. */
  readonly retryAfter: string | undefined
  /** undefined when it is longer than was asked for. */
  readonly body: string | undefined
}

export interface Poster {
  /** Rejects with what the connection fails with, or when the signal aborts. */
  post(json: string, signal: AbortSignal): Promise<PostAnswer>
}

// Local limits (tunable): docs/LIMITS.md.
/** A connection that is not used is closed after this, before most servers do it. */
const IDLE_CONNECTION_MS = 4000

/** Creates a poster that keeps its connection for a while. @throws nothing for a bad address: its posts reject */
export function createPoster(url: string, maxBytes: number): Poster {
  const library = url.startsWith('https:') ? https : http
  const agent = new library.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS })
  const once = async (
    json: string,
    signal: AbortSignal,
    over: http.Agent | false,
  ): Promise<PostAnswer> => {
    const body = Buffer.from(json)
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const request = library.request(url, { method: 'POST', agent: over, headers, signal })
    try {
      const response = await answerTo(request, body)
      const retryAfter = response.headers['retry-after']
      return {
        status: response.statusCode ?? 0,
        retryAfter,
        body: await readBody(response, maxBytes),
      }
    } catch (error) {
      // The server closed a kept connection at the very moment that it was used again.
      const isLate = request.reusedSocket && isReset(error) && !signal.aborted
      if (!isLate) throw error
      return once(json, signal, false)
    }
  }
  return { post: (json, signal) => once(json, signal, agent) }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

function answerTo(request: http.ClientRequest, body: Buffer): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
    request.end(body)
  })
}

async function readBody(
  response: http.IncomingMessage,
  maxBytes: number,
): Promise<string | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length
    // Leaving the loop destroys the stream, which closes the connection.
    if (length > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
