/**
 * One DNS exchange with one server: UDP from a fresh socket on a random port, TCP when the reply was truncated.
 * The socket is connected, so the kernel drops datagrams of other sources; what is no reply to the query is passed over on UDP (or
 * anyone could end a lookup with one spoofed packet) and ends the exchange on TCP. Every wait ends with the signal.
 */
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { type DnsQuery, type DnsReply, readDnsReply } from './dns-message.ts'
import { exitError } from './exit-errors.ts'

/** A DNS server: an address literal and a port. */
export type DnsServer = { readonly address: string; readonly port: number }

/** Asks over UDP. @throws NODE_EXIT_DNS_REPLY after too many foreign datagrams; the signal's reason; the socket's error. */
export async function exchangeUdp(
  server: DnsServer,
  query: DnsQuery,
  signal: AbortSignal,
): Promise<DnsReply> {
  signal.throwIfAborted()
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<DnsReply>()
  const onAbort = (): void => reject(reasonOf(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  let foreign = 0
  socket.on('error', reject)
  socket.on('message', (bytes) => {
    const reply = readDnsReply(bytes, query)
    if (reply.kind !== 'foreign') resolve(reply)
    else if (++foreign >= MAX_FOREIGN_DATAGRAMS)
      reject(exitError('NODE_EXIT_DNS_REPLY', { what: 'flood' }))
  })
  const onConnect = (): void => socket.send(query.bytes)
  // Not as `connect`'s callback: Node calls that one for a failure too, a server without a route.
  socket.once('connect', onConnect)
  socket.connect(server.port, server.address)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.off('connect', onConnect)
    socket.close()
  }
}

/** Asks over TCP. @throws NODE_EXIT_DNS_REPLY for a reply that does not fit; the signal's reason; the socket's error. */
export async function exchangeTcp(
  server: DnsServer,
  query: DnsQuery,
  signal: AbortSignal,
): Promise<DnsReply> {
  signal.throwIfAborted()
  const socket = connect({ host: server.address, port: server.port, autoSelectFamily: false })
  const { promise, resolve, reject } = Promise.withResolvers<DnsReply>()
  const onAbort = (): void => reject(reasonOf(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  let received = Buffer.alloc(0)
  socket.on('error', reject)
  socket.on('close', () => reject(exitError('NODE_EXIT_DNS_REPLY', { what: 'closed' })))
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes])
    const wantBytes = received.length < 2 ? 2 : 2 + received.readUInt16BE(0)
    if (received.length < Math.max(wantBytes, 2)) return
    const reply = readDnsReply(received.subarray(2, wantBytes), query)
    if (reply.kind === 'foreign') reject(exitError('NODE_EXIT_DNS_REPLY', { what: 'mismatch' }))
    else if (received.length > wantBytes)
      reject(exitError('NODE_EXIT_DNS_REPLY', { what: 'length' }))
    else resolve(reply)
  })
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(query.bytes.length)
  socket.write(Buffer.concat([prefix, query.bytes]))
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error
    ? signal.reason
    : new Error('aborted', { cause: signal.reason })
}

/** Spoofed datagrams tolerated in one exchange; more is an attack, and another server is asked. */
const MAX_FOREIGN_DATAGRAMS = 64
