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
    signal.throwIfAborted()
    const body = Buffer.from(json)
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const request = library.request(url, { method: 'POST', agent: over, headers })
    const onAbort = (): void => void request.destroy()
    signal.addEventListener('abort', onAbort)
    try {
      return await exchange(request, body, maxBytes)
    } catch (error) {
      signal.throwIfAborted()
      // The server closed a kept connection at the very moment that it was used again.
      if (!request.reusedSocket || !isReset(error)) throw error
      return await once(json, signal, false)
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
  return { post: (json, signal) => once(json, signal, agent) }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

/** On plain events: at rest, promises and iterators for each part cost as much as the rest of a question. */
function exchange(
  request: http.ClientRequest,
  body: Buffer,
  maxBytes: number,
): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const parts: Buffer[] = []
      let length = 0
      const answer = (text: string | undefined): void => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, retryAfter: headers['retry-after'], body: text })
      }
      response.on('error', reject)
      // Also the end of one that was cut off, where nothing is to be said any more.
      response.on('close', () => reject(new Error('the answer was cut off')))
      response.on('end', () => answer(Buffer.concat(parts).toString('utf8')))
      response.on('data', (part: Buffer) => {
        length += part.length
        parts.push(part)
        if (length <= maxBytes) return
        answer(undefined)
        response.destroy()
      })
    })
    request.end(body)
  })
}
