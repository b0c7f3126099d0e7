/**
 * Limits towards destinations, over all clients: an exit must not become part of a flood. A part of `exit-limits.ts`.
 * Counted per prefix (/24, or /48 for IPv6), and ports per single address against scans spread over many circuits.
 */
import type { IpAddress } from '@byway/protocol/policy'
import type { LimitWait } from './limit.ts'
import {
  createDistinctWindow,
  createSlidingWindow,
  type DistinctWindow,
  type SlidingWindow,
} from './rate.ts'

/** The counters of all destinations. */
export type DestinationLimits = {
  checkOpen(address: IpAddress, port: number, nowMs: number): LimitWait | undefined
  open(address: IpAddress, port: number, nowMs: number): void
  /** An attempt was answered, failed or was given up. */
  answer(address: IpAddress): void
  close(address: IpAddress): void
  /** How many prefixes are remembered now. */
  readonly size: number
}

/** Creates empty counters. */
export function createDestinationLimits(): DestinationLimits {
  const prefixes = new Map<string, PrefixState>()
  let prunedAtMs = Number.NEGATIVE_INFINITY

  function prune(nowMs: number): void {
    if (nowMs < prunedAtMs + PRUNE_EVERY_MS) return
    prunedAtMs = nowMs
    for (const [key, state] of prefixes) {
      if (state.open === 0 && state.usedAtMs + DESTINATION_LIMITS.keepMs <= nowMs)
        prefixes.delete(key)
    }
  }

  return {
    checkOpen(address, port, nowMs) {
      prune(nowMs)
      const state = prefixes.get(prefixKey(address))
      if (state === undefined) {
        return prefixes.size < DESTINATION_LIMITS.prefixesKept
          ? undefined
          : { limit: 'table-full', waitMs: PRUNE_EVERY_MS }
      }
      const rateWaitMs = state.rate.waitMs(nowMs)
      if (rateWaitMs > 0) return { limit: 'destination-rate', waitMs: rateWaitMs }
      if (state.open >= DESTINATION_LIMITS.open)
        return { limit: 'destination-open', waitMs: SHORT_WAIT_MS }
      if (state.unanswered >= DESTINATION_LIMITS.unanswered) {
        return { limit: 'destination-unanswered', waitMs: SHORT_WAIT_MS }
      }
      const portsWaitMs = state.ports.get(hostKey(address))?.waitMs(String(port), nowMs) ?? 0
      return portsWaitMs > 0 ? { limit: 'destination-ports', waitMs: portsWaitMs } : undefined
    },
    open(address, port, nowMs) {
      const key = prefixKey(address)
      const state = prefixes.get(key) ?? createPrefixState()
      prefixes.set(key, state)
      state.usedAtMs = nowMs
      state.rate.add(nowMs)
      state.open++
      state.unanswered++
      portsOf(state, hostKey(address)).add(String(port), nowMs)
    },
    answer(address) {
      const state = prefixes.get(prefixKey(address))
      if (state !== undefined) state.unanswered--
    },
    close(address) {
      const state = prefixes.get(prefixKey(address))
      if (state !== undefined) state.open--
    },
    get size() {
      return prefixes.size
    },
  }
}

type PrefixState = {
  readonly rate: SlidingWindow
  readonly ports: Map<string, DistinctWindow>
  open: number
  unanswered: number
  usedAtMs: number
}

function createPrefixState(): PrefixState {
  const rate = createSlidingWindow(DESTINATION_LIMITS.newPerSecond, 1000)
  return { rate, ports: new Map(), open: 0, unanswered: 0, usedAtMs: 0 }
}

function portsOf(state: PrefixState, host: string): DistinctWindow {
  const ports =
    state.ports.get(host) ?? createDistinctWindow(DESTINATION_LIMITS.portsPerMinute, MINUTE_MS)
  state.ports.delete(host)
  state.ports.set(host, ports)
  if (state.ports.size > DESTINATION_LIMITS.hostsKept)
    state.ports.delete(state.ports.keys().next().value ?? host)
  return ports
}

function prefixKey(address: IpAddress): string {
  const shift = address.family === 4 ? 8n : 80n
  return `${address.family}/${(address.value >> shift).toString(36)}`
}

function hostKey(address: IpAddress): string {
  return address.value.toString(36)
}

/** What all circuits together may do to one /24 or /48 (local limits, tunable). */
const DESTINATION_LIMITS = {
  /** New connections in any second, against floods from many circuits. */
  newPerSecond: 10,
  /** Sockets and attempts open at once. */
  open: 200,
  /** Attempts without an answer: what a SYN flood is made of. */
  unanswered: 20,
  /** Distinct ports of one address: fifty circuits that share one scan get no further than three of their own. */
  portsPerMinute: 30,
  /** How long a prefix without sockets is remembered: as long as the longest window. */
  keepMs: 60_000,
  /** Prefixes remembered. 4000 sockets and 50 × 60 recent attempts is the most by honest use; this is twice that. */
  prefixesKept: 16_384,
  /** Addresses of one prefix whose ports are counted: more than a /24 has. */
  hostsKept: 1024,
}

const MINUTE_MS = 60_000
const SHORT_WAIT_MS = 1000
const PRUNE_EVERY_MS = 5000
