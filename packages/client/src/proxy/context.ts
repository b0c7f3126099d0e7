/**
 * What the parts of one proxy share, and one app's connection as they see it.
 * @module
 */
import type { Socket } from 'node:net'
import type { Logger } from '@byway/protocol/base'
import type { ProxyCounters } from './counters.ts'
import type { Dialer, DialOptions, PortClass, Selection } from './dialer.ts'
import type { ResolvedProxyOptions } from './options.ts'
import type { TargetRules, TargetVerdict } from './target-rules.ts'
import type { Timers } from './timers.ts'

/** What every front needs. */
export type ProxyContext = {
  readonly dialer: Dialer
  readonly log: Logger
  readonly timers: Timers
  readonly options: ResolvedProxyOptions
  readonly counters: ProxyCounters
  readonly rules: TargetRules
}

/** One accepted connection. */
export type AppConnection = {
  readonly socket: Socket
  readonly listener: string
  readonly sourceAddress: string
  /** Aborts when the connection has closed. */
  readonly signal: AbortSignal
  /** A request is complete and being served: no deadline. */
  busy(): void
  /** Waiting for the next request: the handshake deadline runs again. */
  awaitRequest(): void
}

/** Who asks and how, before a destination is named. */
export type AppRequest = {
  readonly username: string
  readonly password: string
  readonly selection: Selection
}

/** Judges a destination, and counts and refuses literals from apps that resolve by themselves. */
export function judgeSocksTarget(
  context: ProxyContext,
  request: { readonly hostKind: 'name' | 'literal'; readonly host: string; readonly port: number },
): TargetVerdict {
  const isLiteral = request.hostKind === 'literal'
  if (isLiteral) context.counters.literalRequests += 1
  if (isLiteral && context.options.safeSocks) return { ok: false, code: 'TARGET_LITERAL' }
  return context.rules(request.host, request.port)
}

/** The options of a dial for one request of one connection. */
export function dialOptionsFor(
  connection: AppConnection,
  request: AppRequest,
  portClass: PortClass,
): DialOptions {
  const { listener, sourceAddress, signal } = connection
  const { username, password, selection } = request
  return {
    isolation: { listener, sourceAddress, username, password, portClass },
    selection,
    signal,
  }
}

/** Sends the last bytes and closes; waits a little for the app to read them before it lets go. */
export function closeWith(context: ProxyContext, socket: Socket, lastBytes: Uint8Array): void {
  if (socket.destroyed) return
  const cancel = context.timers.after(context.options.limits.lingerMs, () => socket.destroy())
  socket.once('close', cancel)
  socket.removeAllListeners('data')
  // Unread input would make the kernel reset the connection and lose the reply.
  socket.resume()
  socket.end(lastBytes)
}
