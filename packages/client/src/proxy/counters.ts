/**
 * What the proxy counts: totals only, no destination and no app (docs/LOGGING.md).
 * @module
 */

/** Totals since the start, except `connectionsOpen` and `associationsOpen`. */
export type ProxyCounters = {
  connectionsAccepted: number
  connectionsOpen: number
  /** Turned away at the limit. */
  connectionsDropped: number
  /** Closed because no request was complete in time. */
  handshakeTimeouts: number
  /** Bytes that were no SOCKS or HTTP as we speak it. */
  malformedRequests: number
  socks5Requests: number
  socks4Requests: number
  httpConnectRequests: number
  httpForwardRequests: number
  /** Requests of apps that resolve names outside Byway. */
  literalRequests: number
  /** Requests refused here, before a circuit was asked for. */
  refusedRequests: number
  /** Requests that the engine or the exit failed. */
  failedRequests: number
  streamsOpened: number
  /** Streams that ended other than by both sides finishing. */
  streamsBroken: number
  associationsOpen: number
  datagramsSent: number
  datagramsReceived: number
  datagramsDropped: number
  /** From apps, all bytes of their connections. */
  bytesFromApps: number
  bytesToApps: number
}

/** Makes counters at zero. */
export function createCounters(): ProxyCounters {
  return {
    connectionsAccepted: 0,
    connectionsOpen: 0,
    connectionsDropped: 0,
    handshakeTimeouts: 0,
    malformedRequests: 0,
    socks5Requests: 0,
    socks4Requests: 0,
    httpConnectRequests: 0,
    httpForwardRequests: 0,
    literalRequests: 0,
    refusedRequests: 0,
    failedRequests: 0,
    streamsOpened: 0,
    streamsBroken: 0,
    associationsOpen: 0,
    datagramsSent: 0,
    datagramsReceived: 0,
    datagramsDropped: 0,
    bytesFromApps: 0,
    bytesToApps: 0,
  }
}
