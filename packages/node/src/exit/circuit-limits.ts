/**
 * Limits of one circuit at the exit, against scans, sprays and credential stuffing. A part of `exit-limits.ts`.
 * A circuit whose connections mostly fail is paused; while it stays that way only one attempt may be in flight; the third pause ends it.
 */
import type { LimitName, LimitWait } from './limit.ts'
import {
  createDistinctWindow,
  createSlidingWindow,
  createTokenBucket,
  type DistinctWindow,
  type SlidingWindow,
} from './rate.ts'

/** What became of a connection attempt; `abandoned` lost a race or was cancelled and says nothing about the target. */
export type ConnectOutcome = 'connected' | 'failed' | 'abandoned'

/** The counters of one circuit. Keys stand for an address, and for an address with a port. */
export type CircuitLimits = {
  tryBegin(nowMs: number): LimitWait | undefined
  checkOpen(addressKey: string, port: number, nowMs: number): LimitWait | undefined
  open(addressKey: string, port: number, nowMs: number): void
  /** Counts an outcome; says whether the circuit goes on, waits or must be destroyed. */
  settle(outcome: ConnectOutcome, nowMs: number): 'ok' | 'paused' | 'destroy'
  /** The part of `checkOpen` and `open` that holds for an origin which the network file names: how many are open. */
  checkCount(): LimitWait | undefined
  openUncounted(): void
  close(): void
}

/** Creates the counters of a fresh circuit. */
export function createCircuitLimits(): CircuitLimits {
  const begins = createTokenBucket(CIRCUIT_LIMITS.beginsPerSecond, CIRCUIT_LIMITS.beginBurst)
  const addresses = createDistinctWindow(CIRCUIT_LIMITS.addressesPerMinute, MINUTE_MS)
  const hosts = new Map<string, HostLimits>()
  const failures: boolean[] = []
  let openCount = 0
  let unansweredCount = 0
  let pauses = 0
  let pausedUntilMs = Number.NEGATIVE_INFINITY

  const isFailing = (): boolean => failures.filter(Boolean).length > CIRCUIT_LIMITS.ratioSample / 2

  function pauseWait(nowMs: number): LimitWait | undefined {
    if (pauses >= CIRCUIT_LIMITS.pauses)
      return { limit: 'circuit-destroyed', waitMs: CIRCUIT_LIMITS.pauseMs }
    return waiting('circuit-paused', pausedUntilMs - nowMs)
  }

  function countWait(): LimitWait | undefined {
    const isFull = openCount >= CIRCUIT_LIMITS.openStreams
    return isFull ? { limit: 'circuit-open', waitMs: SHORT_WAIT_MS } : undefined
  }

  function hostOf(addressKey: string): HostLimits {
    const host = hosts.get(addressKey) ?? createHostLimits()
    hosts.delete(addressKey)
    hosts.set(addressKey, host)
    if (hosts.size > CIRCUIT_LIMITS.hostsKept) hosts.delete(hosts.keys().next().value ?? addressKey)
    return host
  }

  return {
    tryBegin: (nowMs) => pauseWait(nowMs) ?? waiting('circuit-begin-rate', begins.tryTake(nowMs)),
    checkOpen(addressKey, port, nowMs) {
      const host = hosts.get(addressKey)
      return (
        pauseWait(nowMs) ??
        countWait() ??
        (isFailing() && unansweredCount > 0
          ? { limit: 'circuit-failing', waitMs: SHORT_WAIT_MS }
          : undefined) ??
        waiting('circuit-addresses', addresses.waitMs(addressKey, nowMs)) ??
        waiting('circuit-ports', host?.ports.waitMs(String(port), nowMs) ?? 0) ??
        waiting('circuit-host-rate', host?.waitMs(port, nowMs) ?? 0)
      )
    },
    open(addressKey, port, nowMs) {
      const host = hostOf(addressKey)
      addresses.add(addressKey, nowMs)
      host.ports.add(String(port), nowMs)
      host.add(port, nowMs)
      openCount++
      unansweredCount++
    },
    settle(outcome, nowMs) {
      unansweredCount--
      if (outcome === 'abandoned') return pauseWait(nowMs) === undefined ? 'ok' : 'paused'
      failures.push(outcome === 'failed')
      if (failures.length > CIRCUIT_LIMITS.ratioSample) failures.shift()
      if (outcome === 'failed' && isFailing() && nowMs >= pausedUntilMs) {
        pauses++
        pausedUntilMs = nowMs + CIRCUIT_LIMITS.pauseMs
      }
      if (pauses >= CIRCUIT_LIMITS.pauses) return 'destroy'
      return nowMs < pausedUntilMs ? 'paused' : 'ok'
    },
    checkCount: countWait,
    openUncounted: () => void openCount++,
    close: () => void openCount--,
  }
}

type HostLimits = {
  readonly ports: DistinctWindow
  waitMs(port: number, nowMs: number): number
  add(port: number, nowMs: number): void
}

/** New connections to one address and port: the first twelve are free (a browser's page), later ones are slow. */
function createHostLimits(): HostLimits {
  const made = new Map<number, { count: number; readonly later: SlidingWindow }>()
  return {
    ports: createDistinctWindow(CIRCUIT_LIMITS.portsPerMinute, MINUTE_MS),
    waitMs(port, nowMs) {
      const entry = made.get(port)
      return entry === undefined || entry.count < CIRCUIT_LIMITS.freePerHost
        ? 0
        : entry.later.waitMs(nowMs)
    },
    add(port, nowMs) {
      const entry = made.get(port) ?? {
        count: 0,
        later: createSlidingWindow(CIRCUIT_LIMITS.laterPerHost, CIRCUIT_LIMITS.laterWindowMs),
      }
      made.set(port, entry)
      if (entry.count >= CIRCUIT_LIMITS.freePerHost) entry.later.add(nowMs)
      entry.count++
      if (made.size > CIRCUIT_LIMITS.portsKept) made.delete(made.keys().next().value ?? port)
    },
  }
}

function waiting(limit: LimitName, waitMs: number): LimitWait | undefined {
  return waitMs > 0 ? { limit, waitMs } : undefined
}

/** What one circuit may do (local limits, tunable). A page of ninety requests to twenty-five hosts stays below all of them. */
const CIRCUIT_LIMITS = {
  /** BEGIN and RESOLVE of one circuit, against scans. */
  beginsPerSecond: 20,
  /** A page's worth of BEGINs at once. */
  beginBurst: 100,
  /** Sockets and attempts open at once. */
  openStreams: 128,
  /** Distinct addresses, against sweeps of one port. */
  addressesPerMinute: 60,
  /** Distinct ports of one address, against port scans. */
  portsPerMinute: 10,
  /** Connections to one address and port before {@link laterPerHost} counts: two pages over HTTP/1.1. */
  freePerHost: 12,
  /** Further connections to one address and port in each window, against credential stuffing. */
  laterPerHost: 6,
  /** The window of `laterPerHost`. */
  laterWindowMs: 10_000,
  /** Of this many last attempts more than half failed: the circuit is paused. */
  ratioSample: 20,
  /** How long a circuit is paused: as long as the windows above, so that a scan starts from nothing. */
  pauseMs: 60_000,
  /** The third pause ends the circuit: an honest one recovers after the first. */
  pauses: 3,
  /** Hosts whose counters are kept; sixty new ones a minute take eight minutes to push one out. */
  hostsKept: 512,
  /** Ports of one host whose counters are kept; ten new ones a minute take six minutes to push one out. */
  portsKept: 64,
}

const MINUTE_MS = 60_000
const SHORT_WAIT_MS = 1000
