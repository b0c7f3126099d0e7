/**
 * One accepted connection: its deadline until a request is complete, whether it is at work, and the
 * signal that it has closed.
 * @module
 */
import type { Socket } from 'node:net'
import type { AppConnection, ProxyContext } from './context.ts'
import { canonicalHost } from './target-rules.ts'

/** A connection as the listener sees it. */
export type TrackedConnection = AppConnection & { readonly isBusy: () => boolean }

/** What {@link trackConnection} is told. */
export type TrackOptions = {
  readonly socket: Socket
  readonly listener: string
  /** True once no further request is to be awaited. */
  readonly isDraining: () => boolean
}

/** Starts the deadline of a new connection and keeps the totals. */
export function trackConnection(context: ProxyContext, options: TrackOptions): TrackedConnection {
  const { counters, timers } = context
  const { socket, listener, isDraining } = options
  const { handshakeTimeoutMs } = context.options.limits
  const gone = new AbortController()
  let isBusy = false
  let cancelDeadline: () => void = ignore
  const expire = (): void => {
    counters.handshakeTimeouts += 1
    socket.destroy()
  }
  const awaitRequest = (): void => {
    isBusy = false
    cancelDeadline()
    if (isDraining()) socket.destroySoon()
    else if (!socket.destroyed) cancelDeadline = timers.after(handshakeTimeoutMs, expire)
  }
  counters.connectionsAccepted += 1
  socket.on('error', ignore)
  socket.once('end', () => (isBusy ? undefined : socket.destroy()))
  socket.once('close', () => {
    cancelDeadline()
    counters.bytesFromApps += socket.bytesRead
    counters.bytesToApps += socket.bytesWritten
    gone.abort()
  })
  awaitRequest()
  return {
    socket,
    listener,
    sourceAddress: canonicalHost(socket.remoteAddress ?? ''),
    signal: gone.signal,
    isBusy: () => isBusy,
    busy() {
      isBusy = true
      cancelDeadline()
    },
    awaitRequest,
  }
}

// Errors of a connection show as its closing; whoever serves it listens for more.
function ignore(): void {}
