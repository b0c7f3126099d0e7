/**
 * All limits of an exit in three scopes: circuit, destination and the exit itself. RAM only; time is passed in; a refusal changes
 * no counter. No client is identified, and nothing outlives its circuit except the counters of destinations, for a minute.
 * Not here: what may be reached at all (`judge`), byte rates, and closing idle streams (`first-data.ts`).
 */
import type { IpAddress } from '@byway/protocol/policy'
import { type CircuitLimits, type ConnectOutcome, createCircuitLimits } from './circuit-limits.ts'
import { createDestinationLimits } from './destination-limits.ts'
import type { LimitName, LimitWait } from './limit.ts'
import { createSlidingWindow } from './rate.ts'

/** A refusal, and after how many milliseconds asking again makes sense. */
export type Refusal = { readonly refused: LimitName; readonly retryAfterMs: number }

/** A judged destination. */
export type Destination = {
  readonly address: IpAddress
  readonly port: number
  /**
   * True for an origin on the loopback that the network file names: limits that protect others from floods and scans do not
   * apply to it, those that protect this host do. @default false
   */
  readonly isNamed?: boolean | undefined
}

/** One admitted connection attempt and the socket that may come of it. Each call counts once; later ones do nothing. */
export type ConnectionLease = {
  /** Reports how the attempt ended. A failed or abandoned one is released too. On `destroy` the caller ends the circuit. */
  settle(outcome: ConnectOutcome, nowMs: number): 'ok' | 'paused' | 'destroy'
  /** Reports that the socket is gone. */
  release(nowMs: number): void
}

/** The exit's limits. */
export interface ExitLimits {
  /** Counts one BEGIN or RESOLVE of a circuit, before any lookup. */
  tryBegin(circuit: string, nowMs: number): 'ok' | Refusal
  /** Admits one connection attempt to a judged address. */
  tryOpen(circuit: string, destination: Destination, nowMs: number): ConnectionLease | Refusal
  /** Forgets a circuit that is gone; its open sockets still count until they are released. */
  forget(circuit: string): void
  /** Sockets and attempts open now, for the operator's counters. */
  readonly openSockets: number
}

/** Limits of the exit as a whole, for the operator to set. */
export type ExitLimitsOptions = {
  /** @default 50 */
  readonly connectsPerSecond?: number | undefined
  /** Home routers lose their tables near 4000 flows. @default 4000 */
  readonly maxSockets?: number | undefined
}

/** Creates limits with all counters at zero. */
export function createExitLimits(options: ExitLimitsOptions = {}): ExitLimits {
  const { connectsPerSecond = 50, maxSockets = 4000 } = options
  const circuits = new Map<string, CircuitLimits>()
  const destinations = createDestinationLimits()
  const sockets = createSocketLimits(connectsPerSecond, maxSockets)

  function circuitOf(id: string): CircuitLimits | undefined {
    const known = circuits.get(id)
    if (known !== undefined || circuits.size >= MAX_CIRCUITS) return known
    const fresh = createCircuitLimits()
    circuits.set(id, fresh)
    return fresh
  }

  function openNamed(circuit: CircuitLimits): ConnectionLease | Refusal {
    const wait = sockets.checkCount() ?? circuit.checkCount()
    if (wait !== undefined) return refusal(wait)
    circuit.openUncounted()
    sockets.openUncounted()
    return createLease({
      settle: () => 'ok',
      release() {
        sockets.close()
        circuit.close()
      },
    })
  }

  return {
    tryBegin(id, nowMs) {
      const circuit = circuitOf(id)
      return circuit === undefined
        ? refusal(TABLE_FULL)
        : (refusal(circuit.tryBegin(nowMs)) ?? 'ok')
    },
    tryOpen(id, destination, nowMs) {
      const circuit = circuitOf(id)
      if (circuit === undefined) return refusal(TABLE_FULL)
      if (destination.isNamed === true) return openNamed(circuit)
      const { address, port } = destination
      const addressKey = `${address.family}/${address.value.toString(36)}`
      const wait =
        circuit.checkOpen(addressKey, port, nowMs) ??
        destinations.checkOpen(address, port, nowMs) ??
        sockets.check(nowMs)
      if (wait !== undefined) return refusal(wait)
      circuit.open(addressKey, port, nowMs)
      destinations.open(address, port, nowMs)
      sockets.open(nowMs)
      return createLease({
        settle(outcome, settledAtMs) {
          destinations.answer(address)
          return circuit.settle(outcome, settledAtMs)
        },
        release() {
          sockets.close()
          destinations.close(address)
          circuit.close()
        },
      })
    },
    forget: (id) => void circuits.delete(id),
    get openSockets() {
      return sockets.count()
    },
  }
}

/** The limits of the exit as a whole. */
function createSocketLimits(connectsPerSecond: number, maxSockets: number): SocketLimits {
  const connects = createSlidingWindow(connectsPerSecond, 1000)
  let count = 0
  function checkCount(): LimitWait | undefined {
    return count >= maxSockets ? { limit: 'exit-open', waitMs: SHORT_WAIT_MS } : undefined
  }
  return {
    count: () => count,
    checkCount,
    check(nowMs) {
      const waitMs = connects.waitMs(nowMs)
      return checkCount() ?? (waitMs > 0 ? { limit: 'exit-rate', waitMs } : undefined)
    },
    open(nowMs) {
      connects.add(nowMs)
      count++
    },
    openUncounted: () => void count++,
    close: () => void count--,
  }
}

type SocketLimits = {
  count(): number
  checkCount(): LimitWait | undefined
  check(nowMs: number): LimitWait | undefined
  open(nowMs: number): void
  openUncounted(): void
  close(): void
}

type LeaseEvents = {
  readonly settle: (outcome: ConnectOutcome, nowMs: number) => 'ok' | 'paused' | 'destroy'
  readonly release: () => void
}

/** Makes each event of an attempt count exactly once, in whatever order a socket reports them. */
function createLease(events: LeaseEvents): ConnectionLease {
  let isSettled = false
  let isReleased = false
  function release(): void {
    if (isReleased) return
    isReleased = true
    events.release()
  }
  function settle(outcome: ConnectOutcome, nowMs: number): 'ok' | 'paused' | 'destroy' {
    if (isSettled) return 'ok'
    isSettled = true
    const result = events.settle(outcome, nowMs)
    if (outcome !== 'connected') release()
    return result
  }
  return {
    settle,
    release(nowMs) {
      settle('abandoned', nowMs)
      release()
    },
  }
}

function refusal(wait: LimitWait): Refusal
function refusal(wait: LimitWait | undefined): Refusal | undefined
function refusal(wait: LimitWait | undefined): Refusal | undefined {
  return wait && { refused: wait.limit, retryAfterMs: wait.waitMs }
}

// Local limits (tunable).
const SHORT_WAIT_MS = 1000
/** More circuits than a home exit can serve; a further one is refused, none is forgotten. */
const MAX_CIRCUITS = 16_384
const TABLE_FULL: LimitWait = { limit: 'table-full', waitMs: SHORT_WAIT_MS }
