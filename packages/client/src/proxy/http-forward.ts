/**
 * Forwards one absolute-form request over a stream of its own: the request goes out with BEGIN
 * (optimistic data), rewritten field by field, and the answer comes back the same way. No Via and no
 * X-Forwarded-For: both would tell the site about the app's machine.
 * @module
 */
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { AppConnection, ProxyContext } from './context.ts'
import { dialOptionsFor } from './context.ts'
import type { ByteStream } from './dialer.ts'
import { asError, proxyError } from './errors.ts'
import { httpRefusal } from './http-replies.ts'
import { endToEndFields, parseAbsoluteTarget, parseProxyAuthorization } from './http-target.ts'
import type { AbsoluteTarget, HttpResult } from './http-target.ts'
import { portClassOf } from './isolation.ts'
import type { RefusalCode } from './reply-codes.ts'
import { refusalOf } from './reply-codes.ts'
import { abandon } from './tunnel.ts'

/** Serves one request. Settles when it is answered or its connection is gone; never rejects. */
export async function forwardRequest(
  context: ProxyContext,
  connection: AppConnection,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (connection.signal.aborted) return
  context.counters.httpForwardRequests += 1
  const target = parseAbsoluteTarget(request.url ?? '', request.method ?? '')
  const framing = framingFields(request)
  const identity = parseProxyAuthorization(request.headers['proxy-authorization'])
  if (!target.ok) return refuseRequest(context, request, response, target.code)
  if (!framing.ok) return refuseRequest(context, request, response, framing.code)
  if (!identity.ok) return refuseRequest(context, request, response, identity.code)
  const verdict = context.rules(target.value.host, target.value.port)
  if (!verdict.ok) return refuseRequest(context, request, response, verdict.code)
  let stream: ByteStream
  try {
    const options = dialOptionsFor(connection, identity.value, portClassOf(verdict.target.port))
    stream = await context.dialer.connect(verdict.target, options)
  } catch (thrown) {
    context.counters.failedRequests += 1
    answerRefusal(response, refusalOf(thrown))
    return
  }
  if (connection.signal.aborted) return abandon(stream)
  const fields = requestFields(request, target.value, framing.value)
  await exchange(context, connection, {
    request,
    response,
    stream,
    path: target.value.path,
    fields,
  })
}

/** Refuses a request before a circuit is asked for, and ends its connection behind the answer. */
export function refuseRequest(
  context: ProxyContext,
  request: IncomingMessage,
  response: ServerResponse,
  code: RefusalCode,
): void {
  context.counters.refusedRequests += 1
  context.log.debug('HTTP request refused', { code })
  request.resume()
  answerRefusal(response, code)
}

type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly stream: ByteStream
  readonly path: string
  readonly fields: readonly string[]
}

function exchange(
  context: ProxyContext,
  connection: AppConnection,
  parts: Exchange,
): Promise<void> {
  const { request, response, stream, path, fields } = parts
  const { promise, resolve } = Promise.withResolvers<void>()
  let failure: unknown
  let answer: IncomingMessage | undefined
  // Heard before node:http hears it, which takes any closing for the end of an answer without length (T20).
  const breakOff = (thrown: unknown): void => {
    failure ??= thrown
    stream.destroy(asError(failure))
    // A whole answer is whole, whatever its stream does afterwards.
    if (answer?.complete !== false) return
    answer = undefined
    context.counters.streamsBroken += 1
    connection.socket.resetAndDestroy()
  }
  stream.on('error', breakOff)
  stream.on('close', () => breakOff(proxyError('PROXY_STREAM_CLOSED', {})))
  stream.connected.then(() => (context.counters.streamsOpened += 1), breakOff)
  const upstream = httpRequest({
    createConnection: () => stream,
    method: request.method,
    path,
    headers: fields,
    setHost: false,
    maxHeaderSize: context.options.limits.maxHeaderBytes,
  })
  upstream.maxHeadersCount = 0
  const giveUp = (error: Error): void => {
    breakOff(error)
    if (response.headersSent || response.destroyed) return
    context.counters.failedRequests += 1
    answerRefusal(response, upstreamRefusal(failure))
  }
  upstream.on('error', giveUp)
  // Also without an error: an answer that switches protocols, which nobody asked for, just closes.
  upstream.on('close', () =>
    answer === undefined ? giveUp(proxyError('PROXY_STREAM_CLOSED', {})) : undefined,
  )
  upstream.on('continue', () => response.writeContinue())
  upstream.on('response', (message) => {
    if (!relayHead(message, response)) {
      giveUp(proxyError('PROXY_ANSWER_HEAD', {}))
      return
    }
    answer = message
    message.on('error', breakOff)
    message.pipe(response)
  })
  response.once('close', () => {
    if (!response.writableFinished) breakOff(proxyError('PROXY_APP_GONE', {}))
    // A body that nobody reads any more would hold up the connection's next request.
    request.unpipe(upstream)
    request.resume()
    resolve()
  })
  sendBody(request, upstream)
  return promise
}

function sendBody(request: IncomingMessage, upstream: ClientRequest): void {
  request.pipe(upstream)
  if (request.headers.expect !== undefined) upstream.flushHeaders()
}

/** Passes status and fields on; false if they are such as no server may send. */
function relayHead(answer: IncomingMessage, response: ServerResponse): boolean {
  response.sendDate = false
  const fields = endToEndFields(answer.rawHeaders, NONE)
  try {
    response.writeHead(answer.statusCode ?? 0, answer.statusMessage ?? '', fields)
    return true
  } catch {
    return false
  }
}

/** The fields that say where the body ends, written anew so that both servers read the same. */
function framingFields(request: IncomingMessage): HttpResult<readonly string[]> {
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked')
      return { ok: false, code: 'UNSUPPORTED_TRANSFER_CODING' }
    return { ok: true, value: ['Transfer-Encoding', 'chunked'] }
  }
  if (length !== undefined) return { ok: true, value: ['Content-Length', length] }
  const hasImpliedBody =
    request.method === 'POST' || request.method === 'PUT' || request.method === 'PATCH'
  return { ok: true, value: hasImpliedBody ? ['Content-Length', '0'] : [] }
}

function requestFields(
  request: IncomingMessage,
  target: AbsoluteTarget,
  framing: readonly string[],
): readonly string[] {
  const others = endToEndFields(request.rawHeaders, WRITTEN_ANEW)
  // RFC 9112 §3.2.2: a proxy MUST replace Host by the authority of the target.
  // Framing comes first: a server that stops reading fields at some count must not miss it.
  return ['Host', target.authority, ...framing, 'Connection', 'close', ...others]
}

function answerRefusal(response: ServerResponse, code: RefusalCode): void {
  if (response.headersSent || response.destroyed) return
  const { status, fields, body } = httpRefusal(code)
  response.shouldKeepAlive = false
  response.writeHead(status, [...fields])
  response.end(body)
}

function upstreamRefusal(failure: unknown): RefusalCode {
  const code = failure instanceof Error && 'code' in failure ? failure.code : undefined
  const isMalformed = code === 'PROXY_ANSWER_HEAD' || String(code).startsWith('HPE_')
  if (isMalformed) return 'RESPONSE_MALFORMED'
  return code === 'ECONNRESET' ? 'EXIT_RESET' : refusalOf(failure)
}

const WRITTEN_ANEW: ReadonlySet<string> = new Set(['host', 'content-length'])
const NONE: ReadonlySet<string> = new Set()
