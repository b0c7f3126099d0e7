/**
 * UDP ASSOCIATE (RFC 1928 §4, §7): opens a datagram flow and a relay socket for one app, for as long as
 * the app's TCP connection lives.
 * @module
 */
import type { AppConnection, ProxyContext } from './context.ts'
import { closeWith, dialOptionsFor } from './context.ts'
import { encodeReply } from './socks5-codec.ts'
import { refusalOf, SOCKS5_REPLY } from './reply-codes.ts'
import type { RefusalCode } from './reply-codes.ts'
import { canonicalHost } from './target-rules.ts'
import type { SocksRequest } from './socks-parse.ts'
import { createUdpRelay } from './udp-relay.ts'

/** Serves one association. Settles when it runs or is refused; never rejects. */
export async function serveAssociate(
  context: ProxyContext,
  connection: AppConnection,
  request: SocksRequest,
  refusal: (code: RefusalCode) => Uint8Array,
): Promise<void> {
  const { counters, options } = context
  const { socket, signal } = connection
  if (signal.aborted) return
  if (counters.associationsOpen >= options.limits.maxAssociations) {
    counters.refusedRequests += 1
    closeWith(context, socket, refusal('PROXY_BUSY'))
    return
  }
  const localAddress = canonicalHost(socket.localAddress ?? options.host)
  const { sourceAddress: appAddress } = connection
  const relay = createUdpRelay(context, { localAddress, appAddress, appPort: request.port })
  counters.associationsOpen += 1
  signal.addEventListener('abort', () => {
    counters.associationsOpen -= 1
    relay.close()
  })
  try {
    const port = await relay.open()
    const dialOptions = dialOptionsFor(connection, request, 'datagram')
    const flow = await context.dialer.openDatagrams({
      ...dialOptions,
      onDatagram: (datagram) => relay.deliver(datagram),
    })
    relay.attach(flow)
    const release = (): unknown => socket.destroy()
    flow.closed.then(release, release)
    socket.on('end', release)
    socket.resume()
    socket.write(encodeReply(SOCKS5_REPLY.SUCCEEDED, { host: localAddress, port }))
  } catch (thrown) {
    relay.close()
    counters.failedRequests += 1
    closeWith(context, socket, refusal(refusalOf(thrown)))
  }
}
