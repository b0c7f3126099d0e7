/**
 * A UDP socket that is connected to one judged endpoint: the kernel drops what comes from elsewhere (SPEC §7.3). Counted by the exit's
 * limits like a connection.
 */
import { createSocket } from 'node:dgram'
import {
  formatAddress,
  type IpAddress,
  isAllowTarget,
  type PolicyContext,
} from '@byway/protocol/policy'
import type { ExitLimits } from './exit-limits.ts'
import type { OpenPins } from './open-pins.ts'

/** What a peer needs of the exit. */
export type DatagramPeerDeps = {
  readonly limits: ExitLimits
  readonly pins: OpenPins
  readonly context: () => PolicyContext
  readonly nowMs: () => number
}

/** A judged endpoint. */
export type DatagramTarget = {
  readonly circuit: string
  readonly address: IpAddress
  readonly port: number
}

/** An open endpoint. */
export interface DatagramPeer {
  /** Sends, or drops when the socket is busy. */
  send(payload: Uint8Array): void
  close(): void
}

/** Opens a socket to a judged endpoint; undefined when a limit refuses it. */
export function openDatagramPeer(
  { limits, pins, context, nowMs }: DatagramPeerDeps,
  { circuit, address, port }: DatagramTarget,
  onReply: (payload: Uint8Array) => void,
): DatagramPeer | undefined {
  const isNamed = isAllowTarget(address, port, context())
  const lease = limits.tryOpen(circuit, { address, port, isNamed }, nowMs())
  if ('refused' in lease) return undefined
  lease.settle('connected', nowMs())
  const literal = formatAddress(address)
  const socket = createSocket({
    type: address.family === 4 ? 'udp4' : 'udp6',
    lookup: (_name, _options, done) => done(null, literal, address.family),
  })
  let early: Uint8Array[] | undefined = []
  let isClosed = false
  const close = (): void => {
    if (isClosed) return
    isClosed = true
    early = undefined
    socket.close()
    forget()
    lease.release(nowMs())
  }
  const forget = pins.add(address, port, close)
  const send = (payload: Uint8Array): void => {
    if (isClosed || socket.getSendQueueSize() > MAX_QUEUED_BYTES) return
    socket.send(payload, ignore)
  }
  // UDP promises nothing: an unreachable endpoint is one that does not answer. Without a route the socket is of no use at all.
  socket.on('error', () => {
    if (early) close()
  })
  socket.on('message', (payload) => onReply(payload))
  // Not as `connect`'s callback: Node calls that one for a failure too.
  socket.once('connect', () => {
    const waiting = early ?? []
    early = undefined
    for (const payload of waiting) send(payload)
  })
  socket.connect(port, literal)
  return {
    send(payload) {
      if (early === undefined) send(payload)
      else if (early.length < MAX_EARLY) early.push(payload)
    },
    close,
  }
}

function ignore(): void {}

// Local limits (tunable).
/** What the kernel has not taken yet: a busy uplink drops datagrams rather than delay them. */
const MAX_QUEUED_BYTES = 256 * 1024
/** Datagrams that wait for the socket's own set-up, one turn of the event loop. */
const MAX_EARLY = 64
