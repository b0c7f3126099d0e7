/**
 * Drives a SOCKS machine over a socket and serves the request it finds: CONNECT, RESOLVE and UDP
 * ASSOCIATE of SOCKS5, CONNECT of SOCKS4 and 4a.
 * @module
 */
import type { AppConnection, ProxyContext } from './context.ts'
import { closeWith, dialOptionsFor, judgeSocksTarget } from './context.ts'
import { canonicalHost, isLiteral } from './target-rules.ts'
import { createSocks4Machine, encodeSocks4Reply } from './socks4-machine.ts'
import { createSocks5Machine } from './socks5-machine.ts'
import { encodeReply } from './socks5-codec.ts'
import {
  refusalOf,
  replyFor,
  SOCKS4_GRANTED,
  SOCKS4_REJECTED,
  SOCKS5_REPLY,
} from './reply-codes.ts'
import type { RefusalCode } from './reply-codes.ts'
import { serveAssociate } from './udp-associate.ts'
import { serveTunnel } from './tunnel.ts'
import type { TunnelReplies } from './tunnel.ts'
import type { SocksMachine, SocksOutput, SocksRequest } from './socks-parse.ts'

/** Takes over a connection whose first bytes are `first`. The socket must be paused and unread. */
export function serveSocks(
  context: ProxyContext,
  connection: AppConnection,
  version: 4 | 5,
  first: Uint8Array,
): void {
  const { socket } = connection
  const machine: SocksMachine = version === 5 ? createSocks5Machine() : createSocks4Machine()
  const run = (output: SocksOutput): void => {
    if (output.type === 'send') {
      socket.write(output.bytes)
      return
    }
    socket.off('data', onData)
    connection.busy()
    if (output.type === 'refuse') {
      context.counters.malformedRequests += 1
      context.log.debug('SOCKS request refused', { reason: output.fault })
      closeWith(context, socket, output.bytes)
      return
    }
    socket.pause()
    if (output.rest.length > 0) socket.unshift(output.rest)
    void serveRequest(context, connection, version, output.request)
  }
  const onData = (bytes: Uint8Array): void => machine.push(bytes).forEach(run)
  socket.on('data', onData)
  socket.resume()
  onData(first)
}

async function serveRequest(
  context: ProxyContext,
  connection: AppConnection,
  version: 4 | 5,
  request: SocksRequest,
): Promise<void> {
  context.counters[version === 5 ? 'socks5Requests' : 'socks4Requests'] += 1
  const replies = version === 5 ? SOCKS5_REPLIES : SOCKS4_REPLIES
  if (request.command === 'associate') {
    await serveAssociate(context, connection, request, replies.refusal)
    return
  }
  // RESOLVE carries no port that means anything (Tor's socks-extensions).
  const port = request.command === 'resolve' ? 443 : request.port
  const verdict = judgeSocksTarget(context, { ...request, port })
  if (!verdict.ok) {
    context.counters.refusedRequests += 1
    context.log.debug('SOCKS request refused', { code: verdict.code })
    closeWith(context, connection.socket, replies.refusal(verdict.code))
    return
  }
  if (request.command === 'resolve')
    await serveResolve(context, connection, request, verdict.target.host)
  else await serveTunnel(context, connection, { ...request, target: verdict.target }, replies)
}

async function serveResolve(
  context: ProxyContext,
  connection: AppConnection,
  request: SocksRequest,
  host: string,
): Promise<void> {
  const answer = async (): Promise<Uint8Array> => {
    const dialOptions = dialOptionsFor(connection, request, 'dns')
    const addresses = isLiteral(host) ? [host] : await context.dialer.resolve(host, dialOptions)
    const address = addresses.map(canonicalHost).find(isLiteral)
    return address === undefined
      ? SOCKS5_REPLIES.refusal('EXIT_RESOLVE_FAILED')
      : encodeReply(SOCKS5_REPLY.SUCCEEDED, { host: address, port: 0 })
  }
  const reply = await answer().catch((thrown: unknown) => {
    context.counters.failedRequests += 1
    return SOCKS5_REPLIES.refusal(refusalOf(thrown))
  })
  closeWith(context, connection.socket, reply)
}

const SOCKS5_REPLIES: TunnelReplies = {
  success: encodeReply(SOCKS5_REPLY.SUCCEEDED),
  refusal: (code: RefusalCode) => encodeReply(replyFor(code).socks5),
}

const SOCKS4_REPLIES: TunnelReplies = {
  success: encodeSocks4Reply(SOCKS4_GRANTED),
  refusal: () => encodeSocks4Reply(SOCKS4_REJECTED),
}
