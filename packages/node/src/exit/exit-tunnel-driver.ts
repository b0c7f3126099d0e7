/**
 * The exit's side of one tunnel (SPEC §7.2, §7.3): begins streams, lookups and datagram flows as the client asks, and hands each
 * message to the one it is for. Sends once a turn. Legs and the tunnel's life are `exit-service.ts`.
 */
import type {
  ConnectRequest,
  ExitTunnel,
  ExitTunnelDriver,
  ResolveAnswer,
} from '@byway/protocol/circuit'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import type { CloseReason, Endpoint, PayMessage, ResetReason } from '@byway/protocol/wire'
import type { PaidTunnel } from '../money/tunnel-toll.ts'
import type { ExitConnector, ExitLookup } from './connect-pinned.ts'
import { createDatagramFlow } from './datagram-flow.ts'
import type { DatagramDeps, DatagramFlow } from './datagram-flow.ts'
import { resetReasonOf } from './exit-errors.ts'
import { beginExitStream, familiesOf } from './exit-stream.ts'
import type { ExitStream, StreamHost } from './exit-stream.ts'
import { toIpBytes } from './ip-bytes.ts'

/** What a tunnel's driver needs. */
export type TunnelDriverDeps = {
  readonly connector: ExitConnector
  /** Undefined while this exit carries no datagrams. */
  readonly datagrams: DatagramDeps | undefined
  /** The key under which limits count this tunnel. */
  readonly circuit: string
  readonly nowMs: () => number
  /** Takes one more stream; a reason when there may be none. */
  readonly tryBegin: () => ResetReason | undefined
  /** Payment for this tunnel; absent in an unpaid network. */
  readonly paid?: PaidTunnel | undefined
  /** Ends the tunnel from this side. */
  readonly end: (reason: CloseReason) => void
  /** A stream that `tryBegin` took is over. */
  readonly onStreamGone: () => void
  /** Cells have gone, or what is held has changed. */
  readonly onPumped: () => void
  /** The tunnel is over; every stream is gone. */
  readonly onOver: () => void
}

/** The driver's side of one tunnel, for the service. */
export interface TunnelDriver extends ExitTunnelDriver {
  readonly tunnel: ExitTunnel | undefined
  /** Streams, lookups and datagram flows. */
  readonly streamCount: number
  /** What waits in the tunnel and for targets. */
  readonly heldBytes: number
  readonly oldestAtMs: number
  /** The tunnel lost its leg, or has one again: targets are read only with one (SPEC §9.3). */
  setOrphaned(isOrphaned: boolean): void
  /** Stops serving until it is paid, or goes on (SPEC §15.4): nothing of the streams goes either way, and targets are not read. */
  setHeld(isHeld: boolean): void
  /** Ends what has been idle for too long. */
  sweep(nowMs: number): void
}

/** Creates the driver's side of a tunnel that is about to open. */
export function createTunnelDriver(deps: TunnelDriverDeps): TunnelDriver {
  return new Driver(deps)
}

class Driver implements TunnelDriver {
  tunnel: ExitTunnel | undefined
  readonly #deps: TunnelDriverDeps
  #host: StreamHost | undefined
  readonly #streams = new Map<number, ExitStream>()
  readonly #lookups = new Map<number, AbortController>()
  readonly #flows = new Map<number, DatagramFlow>()
  #isOrphaned = false
  #isHeld = false
  /** What the client sent meanwhile, in order. Bounded by how far its tunnel may run over. */
  #deferred: (() => void)[] = []
  #isScheduled = false
  #waitingBytes = 0

  constructor(deps: TunnelDriverDeps) {
    this.#deps = deps
  }

  get streamCount(): number {
    return this.#streams.size + this.#lookups.size + this.#flows.size
  }

  get heldBytes(): number {
    const unpaidBytes = this.#deps.paid?.overrunBytes ?? 0
    return this.#waitingBytes + (this.tunnel?.heldBytes ?? 0) + unpaidBytes
  }

  get oldestAtMs(): number {
    let oldest = this.tunnel?.oldestAtMs ?? Number.POSITIVE_INFINITY
    for (const stream of this.#streams.values()) oldest = Math.min(oldest, stream.oldestAtMs)
    return oldest
  }

  onOpened(tunnel: ExitTunnel): void {
    this.tunnel = tunnel
    this.#host = this.#hostOf(tunnel)
  }

  onWork(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(this.#pump)
  }

  onPay(pay: PayMessage, hop: number | undefined): boolean {
    return hop === undefined && (this.#deps.paid?.onPay(pay) ?? false)
  }

  onBegin(id: number, request: ConnectRequest): void {
    if (this.#defers(() => this.onBegin(id, request))) return
    if (!this.#host || !this.#mayBegin(id)) return
    this.#streams.set(id, beginExitStream(id, request, this.#host))
  }

  onData(id: number, bytes: Uint8Array): void {
    if (this.#isHeld) this.#deferred.push(() => this.onData(id, bytes))
    else this.#streams.get(id)?.onData(bytes)
  }

  onEnd(id: number): void {
    if (this.#isHeld) this.#deferred.push(() => this.onEnd(id))
    else this.#streams.get(id)?.onEnd()
  }

  onDrained(id: number): void {
    this.#streams.get(id)?.onDrained()
  }

  onReset(id: number): void {
    if (this.#defers(() => this.onReset(id))) return
    this.#streams.get(id)?.abort()
    this.#lookups.get(id)?.abort()
    this.#forgetLookup(id)
    this.#flows.get(id)?.close()
  }

  onResolve(id: number, host: string, flags: number): void {
    if (this.#defers(() => this.onResolve(id, host, flags))) return
    if (!this.#mayBegin(id)) return
    const lookup = new AbortController()
    this.#lookups.set(id, lookup)
    const { connector, circuit } = this.#deps
    connector.resolve({ circuit, host, ...familiesOf(flags) }, lookup.signal).then(
      (found) => this.#answer(id, answerOf(found)),
      (error: unknown) =>
        this.#answer(id, { reason: resetReasonOf(error), ttlS: 0, addresses: [] }),
    )
  }

  onAssociate(id: number): void {
    if (this.#defers(() => this.onAssociate(id))) return
    const { datagrams, circuit } = this.#deps
    const { tunnel } = this
    if (!datagrams || !tunnel) {
      tunnel?.reset(id, RESET_REASON.EXIT_POLICY)
      return
    }
    if (!this.#mayBegin(id)) return
    const flow = createDatagramFlow(datagrams, {
      circuit,
      onReply: (endpoint, payload) =>
        tunnel.sendDatagram(id, endpoint, payload, this.#deps.nowMs()),
      onIdle: () => tunnel.reset(id, RESET_REASON.IDLE),
      onClosed: () => {
        if (this.#flows.delete(id)) this.#deps.onStreamGone()
      },
    })
    this.#flows.set(id, flow)
  }

  onDatagram(id: number, endpoint: Endpoint, payload: Uint8Array): void {
    if (!this.#isHeld) this.#flows.get(id)?.send(endpoint, payload)
  }

  onDraining(): void {}

  onOver(): void {
    this.#deferred = []
    this.#isHeld = false
    for (const stream of this.#streams.values()) stream.abort()
    for (const flow of this.#flows.values()) flow.close()
    for (const [id, lookup] of this.#lookups) {
      lookup.abort()
      this.#forgetLookup(id)
    }
    this.#deps.onOver()
  }

  setOrphaned(isOrphaned: boolean): void {
    this.#isOrphaned = isOrphaned
    for (const stream of this.#streams.values()) stream.onPauseChange()
  }

  setHeld(isHeld: boolean): void {
    this.#isHeld = isHeld
    const deferred = isHeld ? [] : this.#deferred
    if (!isHeld) this.#deferred = []
    for (const run of deferred) run()
    this.tunnel?.setHeld(isHeld)
    for (const stream of this.#streams.values()) stream.onPauseChange()
  }

  sweep(nowMs: number): void {
    for (const stream of this.#streams.values()) stream.sweep(nowMs)
    for (const flow of this.#flows.values()) flow.sweep(nowMs)
  }

  readonly #pump = (): void => {
    this.#isScheduled = false
    this.tunnel?.pump(this.#deps.nowMs())
    this.#deps.onPumped()
  }

  #defers(run: () => void): boolean {
    if (this.#isHeld) this.#deferred.push(run)
    return this.#isHeld
  }

  /** SPEC §15.4: nothing begins before an admission token was spent. */
  #mayBegin(id: number): boolean {
    const { paid } = this.#deps
    if (paid && !paid.isAdmitted) {
      this.#deps.end(CLOSE_REASON.UNPAID)
      return false
    }
    const refusal = this.#deps.tryBegin()
    if (refusal !== undefined) this.tunnel?.reset(id, refusal)
    return refusal === undefined
  }

  #answer(id: number, answer: ResolveAnswer): void {
    if (this.#forgetLookup(id)) this.tunnel?.resolved(id, answer)
  }

  #forgetLookup(id: number): boolean {
    const isKnown = this.#lookups.delete(id)
    if (isKnown) this.#deps.onStreamGone()
    return isKnown
  }

  #hostOf(tunnel: ExitTunnel): StreamHost {
    const { connector, circuit, nowMs, onStreamGone } = this.#deps
    const isPaused = (): boolean => this.#isOrphaned || this.#isHeld
    return {
      tunnel,
      connector,
      circuit,
      nowMs,
      get isPaused() {
        return isPaused()
      },
      onHeld: (deltaBytes) => {
        this.#waitingBytes += deltaBytes
        if (deltaBytes > 0) this.onWork()
      },
      onGone: (id) => {
        if (this.#streams.delete(id)) onStreamGone()
      },
    }
  }
}

function answerOf({ addresses, ttlMs }: ExitLookup): ResolveAnswer {
  const ttlS = Math.min(Math.floor(ttlMs / 1000), MAX_TTL_S)
  return { reason: undefined, ttlS, addresses: addresses.map(toIpBytes) }
}

/** What a u32 holds. */
const MAX_TTL_S = 0xffff_ffff
