/**
 * The HTTP side of the proxy: hands sockets to a `node:http` server that never listens, serves CONNECT
 * as a tunnel and absolute-form requests one after another. The server's parser is the strict one: it
 * refuses a message with both Content-Length and Transfer-Encoding, repeated lengths and bare line feeds.
 * @module
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AppConnection, ProxyContext } from './context.ts'
import { closeWith } from './context.ts'
import { forwardRequest, refuseRequest } from './http-forward.ts'
import { CONNECT_ESTABLISHED, httpRefusalBytes } from './http-replies.ts'
import { parseAuthority, parseProxyAuthorization } from './http-target.ts'
import type { RefusalCode } from './reply-codes.ts'
import { serveTunnel } from './tunnel.ts'

/** Serves HTTP on connections that the listener has told apart. */
export interface HttpFront {
  /** Takes over a connection; what was read of it must have been put back. */
  serve(connection: AppConnection): void
}

/** Makes the HTTP side of one proxy. */
export function createHttpFront(context: ProxyContext): HttpFront {
  const { limits } = context.options
  const served = new WeakMap<Duplex, Served>()
  const server = createServer({ maxHeaderSize: limits.maxHeaderBytes, insecureHTTPParser: false })
  // A count limit would drop fields silently, framing ones too; the size limit bounds them.
  server.maxHeadersCount = 0
  // Deadlines are the connection's: node:http enforces its own only on servers that listen.
  server.keepAliveTimeout = 0
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const state = served.get(request.socket)
    if (state === undefined) request.socket.destroy()
    else enqueue(context, state, request, response)
  }
  server.on('request', onRequest)
  server.on('checkContinue', onRequest)
  server.on('connect', (request, socket, head) => {
    const state = served.get(socket)
    if (state === undefined || state.pending > 0) socket.destroy()
    else serveConnect(context, state.connection, request, head)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const state = served.get(socket)
    if (state !== undefined) refuseConnection(context, state, error.code)
  })
  server.on('timeout', (socket) => socket.resetAndDestroy())
  return {
    serve(connection) {
      served.set(connection.socket, {
        connection,
        pending: 0,
        last: Promise.resolve(),
        isOver: false,
      })
      connection.socket.setTimeout(limits.idleTimeoutMs)
      server.emit('connection', connection.socket)
      connection.socket.resume()
    },
  }
}

type Served = {
  readonly connection: AppConnection
  /** Requests that are not answered yet. */
  pending: number
  /** Settles when the newest of them is. */
  last: Promise<void>
  /** An answer has said that it is the last: what was pipelined behind it is not served. */
  isOver: boolean
}

function enqueue(
  context: ProxyContext,
  state: Served,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  state.connection.busy()
  state.pending += 1
  response.once('close', () => {
    state.pending -= 1
    if (state.pending === 0) state.connection.awaitRequest()
  })
  if (state.pending > context.options.limits.maxPipelinedRequests) {
    refuseRequest(context, request, response, 'PROXY_BUSY')
    return
  }
  // One after another: RFC 9112 §9.3.2 lets only safe methods run side by side.
  const before = state.last
  const serveInTurn = async (): Promise<void> => {
    await before
    if (state.isOver) return
    await forwardRequest(context, state.connection, request, response)
    state.isOver = !response.shouldKeepAlive
  }
  state.last = serveInTurn()
}

function serveConnect(
  context: ProxyContext,
  connection: AppConnection,
  request: IncomingMessage,
  head: Uint8Array,
): void {
  const { socket } = connection
  context.counters.httpConnectRequests += 1
  connection.busy()
  socket.setTimeout(0)
  const refuse = (code: RefusalCode): void => {
    context.counters.refusedRequests += 1
    context.log.debug('HTTP request refused', { code })
    closeWith(context, socket, httpRefusalBytes(code))
  }
  const { headers } = request
  // RFC 9110 §9.3.6: CONNECT has no content; lengths on it are an attempt to hide bytes.
  const hasBody =
    headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  const authority = parseAuthority(request.url ?? '')
  if (hasBody || !authority.ok) return refuse('REQUEST_MALFORMED')
  const identity = parseProxyAuthorization(headers['proxy-authorization'])
  if (!identity.ok) return refuse(identity.code)
  const verdict = context.rules(authority.value.host, authority.value.port)
  if (!verdict.ok) return refuse(verdict.code)
  socket.pause()
  if (head.length > 0) socket.unshift(head)
  const replies = { success: CONNECT_ESTABLISHED, refusal: httpRefusalBytes }
  void serveTunnel(context, connection, { ...identity.value, target: verdict.target }, replies)
}

function refuseConnection(
  context: ProxyContext,
  state: Served,
  errorCode: string | undefined,
): void {
  const { socket } = state.connection
  if (errorCode === 'ECONNRESET' || socket.destroyed) {
    socket.destroy()
    return
  }
  context.counters.malformedRequests += 1
  // An answer may be under way: nothing that is written now could be told from its bytes.
  if (state.pending > 0) {
    socket.resetAndDestroy()
    return
  }
  state.connection.busy()
  const status = errorCode === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  closeWith(context, socket, httpRefusalBytes('REQUEST_MALFORMED', status))
}
