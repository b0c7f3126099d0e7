/**
 * The local proxy in front of the client engine: SOCKS5, SOCKS4a and HTTP on one port, told
 * apart by the first byte. It knows apps and a {@link Dialer}, no circuit.
 * @module
 */
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { once } from 'node:events'
import type { Logger } from '@byway/protocol/base'
import type { AppConnection, ProxyContext } from './context.ts'
import { createCounters } from './counters.ts'
import type { ProxyCounters } from './counters.ts'
import type { Dialer, Target } from './dialer.ts'
import { trackConnection } from './connection.ts'
import type { TrackedConnection } from './connection.ts'
import { createHttpFront } from './http-front.ts'
import type { HttpFront } from './http-front.ts'
import { resolveProxyOptions } from './options.ts'
import type { ProxyOptions } from './options.ts'
import { serveSocks } from './socks-front.ts'
import { canonicalHost, createTargetRules } from './target-rules.ts'
import { systemTimers } from './timers.ts'
import type { Timers } from './timers.ts'

/** What a proxy needs. */
export type ProxyDeps = {
  readonly dialer: Dialer
  readonly log: Logger
  /** @default the system's timers */
  readonly timers?: Timers | undefined
}

/** A running proxy. */
export interface Proxy extends AsyncDisposable {
  /** Listens. Rejects with the system's error when the address is taken. */
  start(): Promise<{ readonly port: number }>
  /**
   * Takes no new connections, lets go of idle ones, and resolves when those at work have ended. What is
   * left when `signal` aborts is reset.
   */
  drain(signal: AbortSignal): Promise<void>
  /** A copy of the totals. */
  counters(): Readonly<ProxyCounters>
  /** Stops at once; open connections are reset. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Makes a proxy; `start` sets it going.
 * @throws PROXY_OPTION
 */
export function createProxy(deps: ProxyDeps, options: ProxyOptions = {}): Proxy {
  const resolved = resolveProxyOptions(options)
  const { limits, allowTargets } = resolved
  let own: Target | undefined
  const context: ProxyContext = {
    dialer: deps.dialer,
    log: deps.log,
    timers: deps.timers ?? systemTimers,
    options: resolved,
    counters: createCounters(),
    rules: createTargetRules({ allowTargets, ownAddress: () => own }),
  }
  const http = createHttpFront(context)
  const open = new Set<TrackedConnection>()
  let isDraining = false
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  server.maxConnections = limits.maxConnections
  server.on('drop', () => (context.counters.connectionsDropped += 1))
  server.on('connection', (socket) => {
    const listener = `${own?.host} ${own?.port}`
    const connection = trackConnection(context, { socket, listener, isDraining: () => isDraining })
    open.add(connection)
    socket.once('close', () => open.delete(connection))
    socket.once('data', (first: Uint8Array) => route(context, http, connection, first))
  })
  const resetAll = (): void => open.forEach(({ socket }) => socket.resetAndDestroy())
  return {
    async start() {
      // As many as may be open: the system's own 511 loses connections when an application opens a thousand at once.
      server.listen({ host: resolved.host, port: resolved.port, backlog: limits.maxConnections })
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      own = { host: canonicalHost(resolved.host), port }
      context.log.info('proxy listening')
      return { port }
    },
    async drain(signal) {
      isDraining = true
      const closed = closeServer(server)
      open.forEach((each) => (each.isBusy() ? undefined : each.socket.destroy()))
      if (signal.aborted) resetAll()
      signal.addEventListener('abort', resetAll, { once: true })
      await closed
      signal.removeEventListener('abort', resetAll)
    },
    counters: () => ({ ...context.counters, connectionsOpen: open.size }),
    async [Symbol.asyncDispose]() {
      const closed = closeServer(server)
      resetAll()
      await closed
    },
  }
}

/** RFC 1928 and SOCKS4 begin with their version; no HTTP method begins with either byte. */
function route(
  context: ProxyContext,
  http: HttpFront,
  connection: AppConnection,
  first: Uint8Array,
): void {
  const { socket } = connection
  socket.pause()
  const [version] = first
  if (version === 4 || version === 5) {
    serveSocks(context, connection, version, first)
    return
  }
  socket.unshift(first)
  http.serve(connection)
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  await closed
}
