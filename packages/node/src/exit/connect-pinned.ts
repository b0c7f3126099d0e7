/**
 * The exit's way out (SPEC §11): judge the request → resolve once → judge every answer → connect to a judged literal → check the
 * peer → only then hand the socket over. BEGIN uses `connect`, RESOLVE uses `resolve`; both ask the same policy.
 * Not here: relaying bytes, sending CONNECTED or RESET, per-stream idle limits.
 */
import type { Socket } from 'node:net'
import {
  type IpAddress,
  isAllowTarget,
  judgeRequest,
  judgeTargets,
  type PolicyContext,
  type PortProfile,
} from '@byway/protocol/policy'
import type { DnsResolver } from './dns-stub.ts'
import { exitError } from './exit-errors.ts'
import type { ExitLimits } from './exit-limits.ts'
import { createHold } from './hold.ts'
import { leadsHome, type OpenPins } from './open-pins.ts'
import { type AdmitAttempt, openSocket, type OpenSocket, raceConnect } from './pinned-socket.ts'

/** What a stream asks for, with the flags of SPEC §7.1. */
export type ExitRequest = {
  /** The circuit on whose account limits count. */
  readonly circuit: string
  readonly host: string
  readonly port: number
  /** Families the client accepts; both when absent. */
  readonly families?: readonly (4 | 6)[] | undefined
  readonly prefersIpv6?: boolean | undefined
}

/**
 * A connection to a judged destination. The socket is paused and allows half-close; it has an error listener already, and may have
 * closed by the time the caller sees it. The caller destroys it.
 */
export type ExitConnection = { readonly socket: Socket; readonly family: 4 | 6 }

/** What a RESOLVE found. */
export type ExitLookup = { readonly addresses: readonly IpAddress[]; readonly ttlMs: number }

/** The exit's way out. */
export interface ExitConnector {
  /**
   * Connects a stream. Waits at most 5 s for DNS, and `holdMs` and `connectTimeoutMs` for each of up to four addresses.
   * @throws NODE_EXIT_POLICY, NODE_EXIT_RESOLVE, NODE_EXIT_DNS_UNAVAILABLE, NODE_EXIT_CONNECT_…, NODE_EXIT_PEER_MISMATCH, NODE_EXIT_LIMIT; the signal's reason
   */
  connect(request: ExitRequest, signal?: AbortSignal): Promise<ExitConnection>
  /** Resolves a name under the same policy, as for port 443. @throws NODE_EXIT_POLICY, NODE_EXIT_RESOLVE, NODE_EXIT_DNS_UNAVAILABLE, NODE_EXIT_LIMIT */
  resolve(request: Omit<ExitRequest, 'port'>, signal?: AbortSignal): Promise<ExitLookup>
}

/** Needs of the connector. */
export type ExitConnectorDeps = {
  /** The resolver for one circuit: a view of the cache. */
  readonly resolverFor: (circuit: string) => DnsResolver
  /** The policy's facts of the moment. */
  readonly context: () => PolicyContext
  readonly limits: ExitLimits
  readonly pins: OpenPins
  readonly nowMs: () => number
  /** Called when a circuit's failures are over the limit; the caller destroys it. */
  readonly onAbuse?: ((circuit: string) => void) | undefined
  /** @default a plain TCP socket */
  readonly openSocket?: OpenSocket | undefined
}

/** Local limits and the operator's profile. */
export type ExitConnectorOptions = {
  /** @default 'web' */
  readonly profile?: PortProfile | undefined
  /** For one attempt. @default 10000 */
  readonly connectTimeoutMs?: number | undefined
  /** Head start of one address over the next (RFC 8305 §5). @default 250 */
  readonly staggerMs?: number | undefined
  /** How long a stream that meets a rate limit is held back before it is refused. @default 3000 */
  readonly holdMs?: number | undefined
}

/** Creates the exit's way out. */
export function createExitConnector(
  deps: ExitConnectorDeps,
  options: ExitConnectorOptions = {},
): ExitConnector {
  const { profile = 'web', connectTimeoutMs = 10_000, staggerMs = 250, holdMs = 3000 } = options

  const hold = createHold(holdMs)

  async function begin(circuit: string, signal: AbortSignal): Promise<void> {
    await hold(() => {
      const begun = deps.limits.tryBegin(circuit, deps.nowMs())
      return begun === 'ok' ? { value: undefined } : begun
    }, signal)
  }

  async function findPins(request: ExitRequest, signal: AbortSignal): Promise<Pins> {
    await begin(request.circuit, signal)
    const asked = { host: request.host, port: request.port, profile, context: deps.context() }
    const early = judgeRequest(asked)
    if (early.verdict === 'deny') throw exitError('NODE_EXIT_POLICY', { reason: early.reason })
    if (early.verdict === 'allow') return { pins: usable(early.pins, request), ttlMs: 0 }
    const families = asked.context.ipv6 ? ([4, 6] as const) : ([4] as const)
    const lookup = await deps.resolverFor(request.circuit).lookup(early.name, families, signal)
    const verdict = judgeTargets({ ...asked, context: deps.context() }, lookup.addresses)
    if (verdict.verdict === 'allow')
      return { pins: usable(verdict.pins, request), ttlMs: lookup.ttlMs }
    if (verdict.reason === 'port') throw exitError('NODE_EXIT_POLICY', { reason: 'port' })
    // SPEC §7.2: private answers give the same reason as a name that does not exist.
    throw exitError('NODE_EXIT_RESOLVE', { why: 'policy' })
  }

  function admission(circuit: string, port: number): AdmitAttempt {
    return async (address, signal) => {
      const isNamed = isAllowTarget(address, port, deps.context())
      const lease = await hold(() => {
        const opened = deps.limits.tryOpen(circuit, { address, port, isNamed }, deps.nowMs())
        return 'refused' in opened ? opened : { value: opened }
      }, signal)
      return (outcome, socket) => {
        socket?.once('close', () => lease.release(deps.nowMs()))
        if (lease.settle(outcome, deps.nowMs()) === 'destroy') deps.onAbuse?.(circuit)
      }
    }
  }

  return {
    async connect(request, signal = NEVER) {
      const { pins } = await findPins(request, signal)
      const race = {
        openSocket: deps.openSocket ?? openSocket,
        admit: admission(request.circuit, request.port),
        staggerMs,
        timeoutMs: connectTimeoutMs,
      }
      const { socket, address } = await raceConnect(pins, request.port, race, signal)
      const cut = (): unknown => socket.resetAndDestroy()
      socket.once('close', deps.pins.add(address, request.port, cut))
      // The own network may have moved while this was being connected.
      if (leadsHome(address, request.port, deps.context())) cut()
      return { socket, family: address.family }
    },
    async resolve(request, signal = NEVER) {
      const { pins, ttlMs } = await findPins({ ...request, port: RESOLVE_PORT }, signal)
      return { addresses: pins, ttlMs }
    },
  }
}

type Pins = { readonly pins: readonly [IpAddress, ...IpAddress[]]; readonly ttlMs: number }

/** Keeps what the client accepts and alternates families, the preferred one first (RFC 8305 §4). */
function usable(
  pins: readonly IpAddress[],
  request: ExitRequest,
): readonly [IpAddress, ...IpAddress[]] {
  const accepts = request.families ?? [4, 6]
  const first = request.prefersIpv6 === true ? 6 : 4
  const preferred = pins.filter((pin) => pin.family === first && accepts.includes(pin.family))
  const others = pins.filter((pin) => pin.family !== first && accepts.includes(pin.family))
  const mixed = Array.from({ length: Math.max(preferred.length, others.length) }, (_, i) =>
    [preferred[i], others[i]].filter((pin) => pin !== undefined),
  ).flat()
  const [head, ...rest] = mixed
  if (head === undefined) throw exitError('NODE_EXIT_RESOLVE', { why: 'no-data' })
  return [head, ...rest]
}

/** RESOLVE names no port; the policy is asked as for the web. */
const RESOLVE_PORT = 443

const NEVER: AbortSignal = new AbortController().signal
