/**
 * One JSON-RPC endpoint over HTTP. It may hang, lie, answer garbage or refuse: every question ends in time, reads a bounded body, and what went wrong is
 * a word. After faults it is left alone for a while. Whether an answer is true is not judged here (see quorum.ts).
 */
import type { EndpointFault } from '../errors.ts'
import { createPoster, type PostAnswer } from './post-json.ts'

/** What an endpoint said. `error` is the chain's own refusal, such as a revert; `fault` means that there is no usable answer. */
export type RpcAnswer =
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly error: RpcError }
  | { readonly type: 'fault'; readonly fault: EndpointFault }

export type RpcError = {
  readonly code: number
  readonly message: string
  /** Of a revert: the contract's error, encoded. */
  readonly data: string | undefined
}

export interface RpcEndpoint {
  /** @throws the signal's reason, nothing else */
  ask(method: string, params: readonly unknown[], signal: AbortSignal): Promise<RpcAnswer>
}

export type EndpointOptions = {
  readonly url: string
  /** @default 5000 (SECURITY R18) */
  readonly timeoutMs?: number | undefined
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

// Local limits (tunable): docs/LIMITS.md.
/** A hanging endpoint is given up after this. */
const REQUEST_TIMEOUT_MS = 5000
/** Ten thousand events and more; pages of history are asked for in parts anyway. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** First pause after a fault; doubled with each further one. */
const FIRST_BACKOFF_MS = 250
/** An endpoint that is back is found within this. */
const MAX_BACKOFF_MS = 8000
/** An endpoint that asks for a longer pause (`Retry-After`) is asked again after this anyway. */
const MAX_RETRY_AFTER_MS = 60_000

/** Creates an endpoint. Connects to nothing before the first question. */
export function createRpcEndpoint(options: EndpointOptions): RpcEndpoint {
  const timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS
  const poster = createPoster(options.url, MAX_ANSWER_BYTES)
  let faults = 0
  let restUntilMs = Number.NEGATIVE_INFINITY
  let id = 0
  const note = (answer: RpcAnswer, retryAfterMs: number): RpcAnswer => {
    if (answer.type !== 'fault') {
      faults = 0
      return answer
    }
    const pauseMs = Math.min(FIRST_BACKOFF_MS * 2 ** faults++, MAX_BACKOFF_MS)
    restUntilMs = options.nowMs() + Math.max(pauseMs, retryAfterMs)
    return answer
  }
  return {
    async ask(method, params, signal) {
      signal.throwIfAborted()
      if (options.nowMs() < restUntilMs) return faultOf('backing-off')
      const limit = limitOf(timeoutMs, signal)
      try {
        const json = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params })
        const answer = await poster.post(json, limit.signal)
        return note(judge(answer), retryAfterMsOf(answer))
      } catch {
        signal.throwIfAborted()
        // The library's own error names the address, which may hold a key.
        return note(faultOf(limit.signal.aborted ? 'timeout' : 'connect'), 0)
      } finally {
        limit.end()
      }
    },
  }
}

/** What `AbortSignal.any` and `AbortSignal.timeout` do, with nothing that stays until it is collected: those leave a timer and an error behind each question. */
function limitOf(
  timeoutMs: number,
  outer: AbortSignal,
): { readonly signal: AbortSignal; end(): void } {
  const stop = new AbortController()
  const onEnd = (): void => stop.abort()
  const timer = setTimeout(onEnd, timeoutMs)
  outer.addEventListener('abort', onEnd)
  return {
    signal: stop.signal,
    end() {
      clearTimeout(timer)
      outer.removeEventListener('abort', onEnd)
    },
  }
}

function judge({ status, body }: PostAnswer): RpcAnswer {
  if (body === undefined) return faultOf('too-large')
  if (status === 429) return faultOf('rate-limit')
  const value = parseObject(body)
  const error = value?.['error']
  if (typeof error === 'object' && error !== null) return judgeError({ ...error })
  if (status < 200 || status > 299) return faultOf('http')
  return value && 'result' in value
    ? { type: 'result', result: value['result'] }
    : faultOf('format')
}

function judgeError(error: { readonly [name: string]: unknown }): RpcAnswer {
  const { code, message, data } = error
  if (typeof code !== 'number') return faultOf('format')
  if (code === LIMIT_EXCEEDED) return faultOf('rate-limit')
  return {
    type: 'error',
    error: {
      code,
      message: typeof message === 'string' ? message : '',
      data: typeof data === 'string' ? data : undefined,
    },
  }
}

function parseObject(text: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function retryAfterMsOf({ retryAfter }: PostAnswer): number {
  const seconds = Number(retryAfter ?? 0)
  return seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 0
}

function faultOf(fault: EndpointFault): RpcAnswer {
  return { type: 'fault', fault }
}

/** EIP-1474: request exceeds the limit. */
const LIMIT_EXCEEDED = -32_005
