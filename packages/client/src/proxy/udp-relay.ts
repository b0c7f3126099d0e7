/**
 * The UDP socket of one association (RFC 1928 §7) between one app and one datagram flow. Takes datagrams
 * of that app only, no fragments, and drops rather than queues.
 * @module
 */
import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { ProxyContext } from './context.ts'
import type { Datagram, DatagramFlow } from './dialer.ts'
import { canonicalHost } from './target-rules.ts'
import { decodeDatagram, encodeDatagram } from './udp-codec.ts'

/** Whom a relay serves. */
export type UdpRelayOptions = {
  /** Where to bind: the address at which the app reached the proxy. */
  readonly localAddress: string
  /** The app's address, as its TCP connection has it. */
  readonly appAddress: string
  /** The app's port, or 0 if it did not say; then its first datagram settles it. */
  readonly appPort: number
}

/** One association's socket. */
export interface UdpRelay {
  /** Binds; resolves to the port the app must send to. */
  open(): Promise<number>
  /** Starts forwarding the app's datagrams; before, they are dropped. */
  attach(flow: DatagramFlow): void
  /** Hands a datagram from the flow to the app. */
  deliver(datagram: Datagram): void
  close(): void
}

/** Makes a relay; `open` is to be called once. */
export function createUdpRelay(context: ProxyContext, options: UdpRelayOptions): UdpRelay {
  const { counters } = context
  const socket = createSocket(isIPv6(options.localAddress) ? 'udp6' : 'udp4')
  let { appPort } = options
  let flow: DatagramFlow | undefined
  let isClosed = false
  const drop = (): void => {
    counters.datagramsDropped += 1
  }
  const close = (): void => {
    if (isClosed) return
    isClosed = true
    socket.close()
    flow?.close()
  }
  const forward = (bytes: Uint8Array, from: RemoteInfo): void => {
    const isFromApp = canonicalHost(from.address) === options.appAddress
    if (!isFromApp || (appPort !== 0 && from.port !== appPort)) return drop()
    const datagram = judgedDatagram(context, bytes)
    if (datagram === undefined) return drop()
    appPort = from.port
    if (flow === undefined || datagram.payload.length > flow.maxPayloadBytes) return drop()
    if (!flow.send(datagram)) return drop()
    counters.datagramsSent += 1
  }
  socket.on('message', forward)
  socket.on('error', close)
  return {
    async open() {
      const listening = once(socket, 'listening')
      socket.bind(0, options.localAddress)
      await listening
      return socket.address().port
    },
    attach(opened) {
      flow = opened
      if (isClosed) opened.close()
    },
    deliver(datagram) {
      const isFull = (): boolean =>
        socket.getSendQueueSize() > context.options.limits.maxDatagramQueueBytes
      if (isClosed || appPort === 0 || isFull()) return drop()
      counters.datagramsReceived += 1
      socket.send(encodeDatagram(datagram), appPort, options.appAddress, (error) =>
        error === null ? undefined : drop(),
      )
    },
    close,
  }
}

function judgedDatagram(context: ProxyContext, bytes: Uint8Array): Datagram | undefined {
  const decoded = decodeDatagram(bytes)
  if (decoded === undefined) return undefined
  const { hostKind, host, port } = decoded.address
  if (hostKind === 'literal' && context.options.safeSocks) return undefined
  const verdict = context.rules(host, port)
  return verdict.ok ? { peer: verdict.target, payload: decoded.payload } : undefined
}
