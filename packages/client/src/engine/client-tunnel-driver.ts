/**
 * One tunnel of the client with its streams (SPEC §9): opens on a circuit, and when that dies joins again through another relay to the same exit before the
 * applications notice. Which circuit to use first, and who shares it, is the pool's.
 * @module
 */
import { createClientTunnel } from '@byway/protocol/circuit'
import type { ClientTunnel, ClientTunnelHandler, Leg, ResolveAnswer } from '@byway/protocol/circuit'
import type { PathNode } from '@byway/protocol/directory'
import {
  ADDRESS_FLAG,
  bodyOf,
  CLOSE_REASON,
  COMMAND,
  commandOf,
  readDestroyBody,
  readKind,
  RESET_REASON,
  TUNNEL_ID_BYTES,
} from '@byway/protocol/wire'
import type {
  CloseReason,
  Endpoint,
  PayMessage,
  ResetReason,
  TunnelTerms,
} from '@byway/protocol/wire'
import { systemTimers } from '../proxy/timers.ts'
import { circuitError, resetError } from './errors.ts'
import type { ReadyCircuit } from './circuit-source.ts'
import { createLegDeaths } from './leg-deaths.ts'
import type { Transfer } from './goodput-meter.ts'
import { startLegWatch, type LegWatch } from './leg-watch.ts'
import { createTunnelIntake } from './tunnel-intake.ts'
import { createTunnelLeg } from './tunnel-leg.ts'
import type { DatagramSink, TunnelDriverDeps } from './tunnel-ports.ts'
import { TunnelStream } from './tunnel-stream.ts'
import type { StreamPort } from './tunnel-stream.ts'

type Lookup = {
  readonly resolve: (answer: ResolveAnswer) => void
  readonly reject: (error: Error) => void
}
/** Drives one tunnel. */
export class ClientTunnelDriver implements StreamPort, ClientTunnelHandler {
  path: readonly PathNode[]
  readonly openedAtMs: number
  isDraining = false
  /** How often the tunnel has moved to another circuit. */
  rejoins = 0
  /** Legs in a row that died without a word: any relay of theirs may be to blame, the entry too. */
  silentLegs = 0
  /** The last leg died with the link to its entry. */
  isLinkLost = false
  readonly #deps: TunnelDriverDeps<ClientTunnelDriver>
  readonly #tunnel: ClientTunnel
  readonly #streams = new Map<number, TunnelStream>()
  readonly #lookups = new Map<number, Lookup>()
  readonly #flows = new Map<number, DatagramSink>()
  readonly #closing = new AbortController()
  #circuit: ReadyCircuit['circuit']
  #leg: Leg
  #isPumpScheduled = false
  readonly #deaths = createLegDeaths()
  #watch: LegWatch | undefined
  /** The exit does not know the tunnel, and never said a word in it: OPEN was lost, and goes on the next leg. */
  #isOpenLost = false
  readonly #intake = createTunnelIntake()

  constructor(ready: ReadyCircuit, deps: TunnelDriverDeps<ClientTunnelDriver>) {
    this.#deps = deps
    this.path = ready.path
    this.#circuit = ready.circuit
    this.openedAtMs = deps.nowMs()
    const leg = (this.#leg = this.#makeLeg(ready.circuit))
    this.#tunnel = createClientTunnel({
      provider: deps.provider,
      tunnelId: deps.randomBytes(TUNNEL_ID_BYTES),
      terms: deps.terms,
      leg,
      handler: this,
    })
    this.#payOn(leg)
    this.#listen(ready.circuit, leg)
    deps.onPath(this)
  }

  get isOver(): boolean {
    return this.#tunnel.isOver
  }

  /** Streams, lookups and datagram flows that are open, or that an application has left with bytes still to go. */
  get useCount(): number {
    const open = this.#streams.size + this.#lookups.size + this.#flows.size
    return Math.max(open, this.#tunnel.streamCount)
  }

  get terms(): TunnelTerms {
    return this.#deps.terms
  }

  get lastsMs(): number | undefined {
    return this.#deps.lastsMs
  }

  get baseRttMs(): number {
    const { baseRttMs } = this.#leg.window.congestion
    return baseRttMs > 0 ? Math.min(baseRttMs, this.#circuit.buildMs) : this.#circuit.buildMs
  }

  get heldBytes(): number {
    return this.#tunnel.heldBytes
  }

  connect(host: string, port: number): TunnelStream {
    this.#deps.payer?.admit()
    const id = this.#tunnel.connect({ host, port, flags: FLAGS }, this.#deps.nowMs())
    const stream = new TunnelStream(id, this)
    this.#streams.set(id, stream)
    if (this.#tunnel.isOver) stream.onReset(RESET_REASON.MISC)
    return stream
  }

  async resolve(host: string): Promise<ResolveAnswer> {
    if (this.isOver) throw resetError(RESET_REASON.MISC)
    const { promise, resolve, reject } = Promise.withResolvers<ResolveAnswer>()
    this.#deps.payer?.admit()
    const id = this.#tunnel.resolve(host, FLAGS, this.#deps.nowMs())
    this.#lookups.set(id, { resolve, reject })
    return await promise
  }

  /** Opens a datagram flow. @throws EXIT_FAILED when the tunnel is over */
  associate(sink: DatagramSink): {
    send(endpoint: Endpoint, payload: Uint8Array): void
    close(): void
  } {
    if (this.isOver) throw resetError(RESET_REASON.MISC)
    this.#deps.payer?.admit()
    const id = this.#tunnel.associate(this.#deps.nowMs())
    this.#flows.set(id, sink)
    return {
      send: (endpoint, payload) =>
        this.#tunnel.sendDatagram(id, endpoint, payload, this.#deps.nowMs()),
      close: () => {
        if (this.#flows.delete(id)) this.#tunnel.reset(id, RESET_REASON.CONNECTION_RESET)
      },
    }
  }

  /** Ends the tunnel from this side; open streams are reset, lookups and flows end with the error. */
  close(error: Error = circuitError(CLOSE_REASON.FINISHED)): void {
    if (this.isOver) return
    this.#closing.abort()
    this.#endLeg()
    this.#failAll(error)
    this.#deps.payer?.stop()
    this.#tunnel.close()
    this.#tunnel.pump(this.#deps.nowMs())
    this.#deps.onOver(this)
    // The exit ends the circuit when it has read CLOSE; one that does not is not waited for.
    const circuit = this.#circuit
    const { timers = systemTimers } = this.#deps
    timers.after(CLOSE_TIMEOUT_MS, () => circuit.destroy(CLOSE_REASON.FINISHED))
  }

  // What streams call.

  write(stream: number, chunk: Uint8Array, isOwned = false): boolean {
    return this.#tunnel.write(stream, chunk, this.#deps.nowMs(), isOwned)
  }

  end(stream: number): void {
    this.#tunnel.end(stream)
  }

  reset(stream: number, reason: ResetReason): void {
    this.#intake.onReset()
    this.#tunnel.reset(stream, reason)
  }

  consumed(stream: number, bytes: number): void {
    this.#tunnel.consumed(stream, bytes, this.#deps.nowMs())
  }

  release(stream: number): void {
    this.#streams.delete(stream)
  }

  // What the tunnel machine calls.

  onWork(): void {
    if (this.#isPumpScheduled) return
    this.#isPumpScheduled = true
    queueMicrotask(this.#pump)
  }

  onConnected(stream: number, family: 4 | 6): void {
    this.#streams.get(stream)?.onConnected(family)
  }

  onData(stream: number, bytes: Uint8Array): void {
    this.#intake.onUseful(bytes.length)
    this.#streams.get(stream)?.onData(bytes)
  }

  onEnd(stream: number): void {
    this.#streams.get(stream)?.onEnd()
  }

  onDrained(stream: number): void {
    this.#streams.get(stream)?.onDrained()
  }

  onReset(stream: number, reason: ResetReason): void {
    this.#streams.get(stream)?.onReset(reason)
    this.#lookups.get(stream)?.reject(resetError(reason))
    this.#lookups.delete(stream)
    this.#flows.get(stream)?.onClosed(resetError(reason))
    this.#flows.delete(stream)
  }

  onResolved(stream: number, answer: ResolveAnswer): void {
    this.#lookups.get(stream)?.resolve(answer)
    this.#lookups.delete(stream)
  }

  onDatagram(stream: number, endpoint: Endpoint, payload: Uint8Array): void {
    this.#intake.onUseful(payload.length)
    this.#flows.get(stream)?.onDatagram(endpoint, payload)
  }

  /** A relay that stops does not end the tunnel, but the next streams find a better one. */
  onDraining(_seconds: number, hop: number | undefined): void {
    this.isDraining = true
    const node = this.path.at(hop ?? -1)
    if (node) this.#deps.onLeaving(node)
  }

  /** SPEC §13: in a network without payment its messages are refused. */
  onPay(pay: PayMessage, hop: number | undefined): boolean {
    return this.#deps.payer?.onPay(pay, hop) ?? false
  }

  onJoined(): void {
    this.rejoins++
    this.silentLegs = 0
    this.#deps.onPath(this)
  }

  onOver(): void {
    this.#closing.abort()
    this.#endLeg()
    this.#circuit.destroy(CLOSE_REASON.FINISHED)
    this.#deps.payer?.stop()
    this.#deps.onOver(this)
  }

  readonly #pump = (): void => {
    this.#isPumpScheduled = false
    this.#tunnel.pump(this.#deps.nowMs())
  }

  #failAll(error: Error): void {
    for (const stream of this.#streams.values()) stream.fail(error)
    for (const lookup of this.#lookups.values()) lookup.reject(error)
    for (const flow of this.#flows.values()) flow.onClosed(error)
    this.#lookups.clear()
    this.#flows.clear()
  }

  #makeLeg(circuit: ReadyCircuit['circuit']): Leg {
    const { provider, randomBytes, payer } = this.#deps
    const onSent = payer && ((bytes: number): void => payer.onSent(bytes))
    return createTunnelLeg(circuit, { provider, randomBytes, onSent, onRoom: () => this.onWork() })
  }

  #payOn(leg: Leg): void {
    this.#deps.payer?.onLeg({
      path: this.path,
      rttMs: () => leg.window.congestion.rttMs,
      send: (message, hop) =>
        hop === undefined ? this.#tunnel.pay(message) : this.#tunnel.payHop(hop, message),
    })
  }

  /** A cell of the present leg was taken. An exit that sends what nobody asked for is left, tunnel and all (SPEC §15.3). */
  #onTaken(cellBytes: number): void {
    const { payer, nowMs } = this.#deps
    this.#onTransfer(this.#intake.take(nowMs()))
    const usefulBytes = this.#intake.end(cellBytes)
    if (!payer || payer.onReceived(cellBytes, usefulBytes, this.useCount > 0)) return
    this.#circuit.destroy(CLOSE_REASON.PROTOCOL)
    this.#giveUp(circuitError(CLOSE_REASON.PROTOCOL, this.path.length))
  }

  /** What the present leg has shown is counted once. */
  #endLeg(): void {
    if (!this.#watch) return
    this.#watch.stop()
    this.#watch = undefined
    this.#onTransfer(this.#intake.finish())
    this.#deps.onRtt(this.path, this.baseRttMs)
  }

  #onTransfer(transfer: Transfer | undefined): void {
    if (transfer) this.#deps.onTransfer(this.path, transfer)
  }

  #listen(circuit: ReadyCircuit['circuit'], leg: Leg): void {
    const watch = startLegWatch({
      nowMs: this.#deps.nowMs,
      isNeeded: () => this.useCount > 0,
      isSending: () => circuit.queue.bytes > 0,
      probe: () => this.#tunnel.probe(),
      onSilent: () => this.#onSilent(circuit),
    })
    this.#watch = watch
    circuit.setSink({
      onCell: (cell, nowMs) => {
        if (commandOf(readKind(cell)) === COMMAND.DATA) watch.onHeard()
        if (commandOf(readKind(cell)) === COMMAND.DESTROY) {
          this.#onLegDied(circuit, readDestroyBody(bodyOf(cell)))
          return
        }
        this.#intake.begin()
        const fault = this.#tunnel.onCell(leg, cell, nowMs)
        if (fault && !fault.isTunnelOver) this.#onLegDied(circuit, fault.reason)
        else if (circuit === this.#circuit && !this.isOver) this.#onTaken(cell.length)
      },
      onLinkClosed: (reason) => this.#onLegDied(circuit, reason, true),
    })
  }

  #onSilent(circuit: ReadyCircuit['circuit']): void {
    this.silentLegs++
    const isHopeless = this.silentLegs > MAX_SILENT_LEGS
    this.#onLegDied(circuit, isHopeless ? CLOSE_REASON.FINISHED : CLOSE_REASON.TIMEOUT)
  }

  #onLegDied(circuit: ReadyCircuit['circuit'], reason: CloseReason, isLinkLost = false): void {
    circuit.destroy(reason)
    if (circuit !== this.#circuit || this.isOver) return
    this.isLinkLost = isLinkLost
    this.#endLeg()
    const { isJoining, isUnheard } = this.#tunnel
    if (reason === CLOSE_REASON.NOT_EXIT && isUnheard) this.#onRefused()
    this.#isOpenLost = reason === CLOSE_REASON.UNKNOWN_TUNNEL && isJoining && isUnheard
    this.#tunnel.detachLeg()
    const isUnwanted = this.useCount === 0 || this.#closing.signal.aborted
    const counted = this.#isOpenLost ? CLOSE_REASON.LINK_CLOSED : reason
    const isLast = this.#deaths.isLast(counted, this.#deps.nowMs())
    if (isLast || isUnwanted) this.#giveUp(circuitError(reason))
    else void this.#rejoin()
  }

  /** Nothing was begun: applications are told that, and not that their destination has reset them. */
  #onRefused(): void {
    this.#deps.onRefused(this.path)
    this.#failAll(circuitError(CLOSE_REASON.NOT_EXIT, this.path.length))
  }

  #giveUp(cause: unknown): void {
    if (this.useCount > 0) this.#deps.onLost(cause, this.useCount)
    this.#tunnel.giveUp()
  }

  async #rejoin(): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(REJOIN_TIMEOUT_MS)])
    try {
      const ready = await this.#deps.rejoin(this, signal)
      if (this.isOver) {
        ready.circuit.destroy(CLOSE_REASON.FINISHED)
        return
      }
      this.#circuit = ready.circuit
      this.path = ready.path
      const leg = (this.#leg = this.#makeLeg(ready.circuit))
      const isOpenLost = this.#isOpenLost
      if (isOpenLost) this.#tunnel.reopen(leg)
      else this.#tunnel.attachLeg(leg)
      this.#payOn(leg)
      if (isOpenLost) this.#deps.payer?.admitAgain()
      this.#listen(ready.circuit, leg)
      // No JOINED will say so.
      if (isOpenLost) this.onJoined()
    } catch (error) {
      if (!this.isOver) this.#giveUp(error)
    }
  }
}

const FLAGS = ADDRESS_FLAG.IPV4 | ADDRESS_FLAG.IPV6
// Local limits (tunable).
/** For CLOSE to reach the exit, which ends the circuit: a few round trips of a slow path. */
const CLOSE_TIMEOUT_MS = 2000
/** Three legs take as long to be found silent as the exit keeps an orphan. */
const MAX_SILENT_LEGS = 3
/** The exit keeps an orphan for 30 s (SPEC §9.3). */
const REJOIN_TIMEOUT_MS = 30_000
