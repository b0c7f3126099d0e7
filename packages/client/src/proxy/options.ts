/**
 * The proxy's options and local limits, with their defaults and reasons.
 * @module
 */
import { isIP } from 'node:net'
import type { Target } from './dialer.ts'
import { proxyError } from './errors.ts'

/** What a caller may choose. */
export type ProxyOptions = {
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined
  /** The port to listen on; 0 lets the system choose. @default 1080 */
  readonly port?: number | undefined
  /** Refuses apps that send addresses instead of names, since they leak lookups. @default false */
  readonly safeSocks?: boolean | undefined
  /** Exact private destinations that are served all the same (a local test network). @default [] */
  readonly allowTargets?: readonly Target[] | undefined
  /** Lets machines other than this one use the proxy, without a password. @default false */
  readonly allowRemoteApps?: boolean | undefined
  readonly limits?: Partial<ProxyLimits> | undefined
}

/** Local limits (tunable). */
export type ProxyLimits = {
  /** Until a request is complete, from the connection on or from the answer before (10 s). */
  readonly handshakeTimeoutMs: number
  /** Beyond it new connections are closed at once. */
  readonly maxConnections: number
  /** Of one HTTP request or answer. */
  readonly maxHeaderBytes: number
  /** Requests of one HTTP connection waiting behind the first. */
  readonly maxPipelinedRequests: number
  /** A stream on which nothing moves. Long, since idle shells are honest. */
  readonly idleTimeoutMs: number
  /** The same once one side has finished. */
  readonly halfOpenIdleTimeoutMs: number
  /** How long a refused app may take to read why. */
  readonly lingerMs: number
  readonly maxAssociations: number
  /** Of one association, waiting for the app to read; beyond it datagrams are dropped. */
  readonly maxDatagramQueueBytes: number
}

/** Options with every field present. */
export type ResolvedProxyOptions = Required<{
  readonly [Key in Exclude<keyof ProxyOptions, 'limits'>]: Exclude<ProxyOptions[Key], undefined>
}> & { readonly limits: ProxyLimits }

export const DEFAULT_PROXY_LIMITS: ProxyLimits = {
  handshakeTimeoutMs: 10_000,
  // Four times the thousand streams that must work; a socket pair costs about 20 KB at rest.
  maxConnections: 4096,
  // Twice what large sites' cookies reach; nginx takes 32 KiB in all too.
  maxHeaderBytes: 32_768,
  maxPipelinedRequests: 8,
  idleTimeoutMs: 7_200_000,
  halfOpenIdleTimeoutMs: 300_000,
  lingerMs: 1000,
  // Each holds a UDP port.
  maxAssociations: 256,
  // About 100 ms at 20 Mbit/s, after which a datagram is stale.
  maxDatagramQueueBytes: 262_144,
}

/**
 * Completes options.
 * @throws PROXY_OPTION for a host that is no IP literal, or not of this machine without `allowRemoteApps`
 */
export function resolveProxyOptions(options: ProxyOptions): ResolvedProxyOptions {
  const host = options.host ?? '127.0.0.1'
  if (isIP(host) === 0) throw proxyError('PROXY_OPTION', { option: 'host' })
  const isLoopback = host === '::1' || host.startsWith('127.')
  const allowRemoteApps = options.allowRemoteApps ?? false
  if (!isLoopback && !allowRemoteApps)
    throw proxyError('PROXY_OPTION', { option: 'allowRemoteApps' })
  return Object.freeze({
    host,
    port: options.port ?? 1080,
    safeSocks: options.safeSocks ?? false,
    allowTargets: options.allowTargets ?? [],
    allowRemoteApps,
    limits: Object.freeze({ ...DEFAULT_PROXY_LIMITS, ...options.limits }),
  })
}
