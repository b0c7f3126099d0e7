/**
 * What both ends of a tunnel have in common (SPEC §7–§9): streams towards the driver, a leg towards the other end. Legs may be
 * replaced under it; the streams do not notice. How legs change is client-tunnel.ts and exit-tunnel.ts.
 * @module
 */
import { assert } from '@byway/protocol/base'
import {
  CLOSE_REASON,
  type CloseReason,
  type Endpoint,
  HOP_MESSAGE,
  hopMessageBytes,
  type PayMessage,
  type ResetReason,
} from '@byway/protocol/wire'
import { MAX_PAYLOAD_BYTES, sendCell } from './cell-packer.ts'
import type { Leg } from './leg.ts'
import { giveUpStreams, type IntakeContext, takeHopList, takeList } from './message-intake.ts'
import type { Stream } from './stream.ts'
import type { ClientTunnelKeys } from './tunnel-keys.ts'
import {
  type Control,
  dueWindow,
  endStream,
  mayWrite,
  releaseBlocked,
  type TunnelState,
} from './tunnel-state.ts'

/** Why a leg must be destroyed. It is detached already; the tunnel is over or waits for another leg. */
export type LegFault = { readonly reason: CloseReason; readonly isTunnelOver: boolean }

/** One end of a tunnel, as its driver uses it. Stream ids that are over are ignored everywhere. */
export interface TunnelEnd {
  readonly leg: Leg | undefined
  readonly isOver: boolean
  readonly streamCount: number
  /** Bytes held for the other end, waiting or unacknowledged: what the memory accountant counts. */
  readonly heldBytes: number
  /** When the oldest held byte came; Infinity when nothing waits for anything. */
  readonly oldestAtMs: number
  /** Bytes of sequenced messages and datagrams taken so far, each once: what cells brought beside padding and overhead. */
  readonly usefulBytes: number
  /** Datagrams dropped so far. */
  readonly droppedDatagrams: number

  /** Sends what may go now: while there is room below, window, and something to say. Returns the number of cells. */
  pump(nowMs: number): number
  /** Takes a DATA or LOCAL cell of a leg. A fault means: destroy that circuit. */
  onCell(leg: Leg, cell: Uint8Array, nowMs: number): LegFault | undefined
  /** Asks the other end for a sign of life: an ACK_REQUEST with the next `pump`, in flight or not (SPEC §8.1). */
  probe(): void
  /** The leg is gone. The tunnel waits for another one. */
  detachLeg(): void

  /**
   * Queues bytes; false asks the application to wait for `onDrained`. The chunk must not change any more. With `isOwned` its whole
   * buffer becomes the tunnel's, which frees it once the other end has the bytes.
   */
  write(stream: number, chunk: Uint8Array, nowMs: number, isOwned?: boolean): boolean
  /** No more bytes from this side: DONE follows the last one. */
  end(stream: number): void
  /** Ends the stream for both sides at once; what waits is dropped, and no callback follows. */
  reset(stream: number, reason: ResetReason): void
  /** The application is done with bytes that `onData` gave it: the window moves on. */
  consumed(stream: number, bytes: number, nowMs: number): void
  /** Sends a datagram on a datagram flow, or drops it. The payload must not change any more. */
  sendDatagram(stream: number, endpoint: Endpoint, payload: Uint8Array, nowMs: number): void
  /**
   * Queues a payment message for the other end: it goes before anything that is begun after it, on this leg or on the next. False,
   * with nothing queued, when too much waits.
   */
  pay(message: PayMessage): boolean
  /** While held, nothing of the streams goes and datagrams are dropped; what is owed to the other end goes on (SPEC §15.4). */
  setHeld(isHeld: boolean): void
  /** Tells the other end that this one stops serving. */
  drain(seconds: number): void
  /** Ends the tunnel from this side without callbacks: CLOSE goes with the next `pump`. */
  close(): void
  /** Ends the tunnel because no leg will come: its streams are reset, never ended cleanly. */
  giveUp(): void
}

/** The common part; the two ends add how they begin and how they change legs. */
export abstract class BaseTunnel implements TunnelEnd {
  protected readonly state: TunnelState

  constructor(state: TunnelState) {
    this.state = state
  }

  /** The client's keys; the exit judges JOIN elsewhere. */
  protected abstract readonly clientKeys: ClientTunnelKeys | undefined
  /** A list has come from the other end on the present leg. */
  protected abstract onList(list: Uint8Array): void

  get leg(): Leg | undefined {
    return this.state.leg
  }

  get isOver(): boolean {
    return this.state.isOver
  }

  get streamCount(): number {
    return this.state.streams.size
  }

  get heldBytes(): number {
    const { queuedBytes, sender, datagrams, pays } = this.state
    return queuedBytes + sender.keptBytes + datagrams.queuedBytes + pays.end.bytes
  }

  get oldestAtMs(): number {
    const { leg, sender, streams, queuedBytes } = this.state
    // On a leg without a request under way what is kept is a short tail that waits for nobody.
    const isTail = leg?.window.isWaiting === false
    let oldest = isTail ? Number.POSITIVE_INFINITY : sender.oldestAtMs
    if (queuedBytes === 0) return oldest
    for (const { send } of streams.all()) oldest = Math.min(oldest, send.oldestAtMs)
    return oldest
  }

  get usefulBytes(): number {
    return this.state.usefulBytes
  }

  get droppedDatagrams(): number {
    return this.state.datagrams.dropped
  }

  pump(nowMs: number): number {
    const { state } = this
    let cells = 0
    for (let leg = state.leg; leg && leg.link.roomBytes() > 0; leg = state.leg) {
      const toHops = state.pays.pumpHops(leg)
      if (toHops === 0 && !sendCell(state, leg, nowMs)) break
      cells += Math.max(1, toHops)
    }
    if (cells > 0) releaseBlocked(state)
    return cells
  }

  onCell(leg: Leg, cell: Uint8Array, nowMs: number): LegFault | undefined {
    const { state } = this
    if (leg !== state.leg || state.isOver) return undefined
    const list = leg.layers.open(cell)
    if (!list) return this.#fault(false)
    const context: IntakeContext = { state, leg, clientKeys: this.clientKeys, nowMs }
    const hop = leg.layers.openedFromHop
    if (hop !== undefined) return takeHopList(context, list, hop) ? undefined : this.#fault(false)
    this.onList(list)
    if (!takeList(context, list, false)) return this.#fault(true)
    state.end.handler.onWork()
    return undefined
  }

  probe(): void {
    const { state } = this
    if (!state.leg || state.isOver) return
    state.isProbeDue = true
    state.end.handler.onWork()
  }

  detachLeg(): void {
    this.state.leg = undefined
    this.state.pays.clearHops()
    this.state.isProbeDue = false
    this.state.greeting = undefined
    this.state.isJoining = false
  }

  write(id: number, chunk: Uint8Array, nowMs: number, isOwned = false): boolean {
    const { state } = this
    const stream = this.#writable(id)
    if (!stream) return true
    stream.send.push(chunk, nowMs, isOwned)
    state.queuedBytes += chunk.length
    this.#ready(stream)
    if (mayWrite(state, stream)) return true
    state.blocked.add(stream)
    return false
  }

  end(id: number): void {
    const stream = this.#writable(id)
    if (!stream) return
    stream.ending = true
    this.#ready(stream)
  }

  reset(id: number, reason: ResetReason): void {
    const { state } = this
    const stream = state.streams.get(id)
    if (!stream || stream.resetting !== undefined) return
    const neverBegun = state.end.role === 'client' && stream.controls.length > 0
    if (neverBegun) {
      endStream(state, stream)
      return
    }
    state.queuedBytes -= stream.send.queuedBytes
    stream.send.clear()
    stream.controls.clear()
    state.blocked.delete(stream)
    stream.resetting = reason
    this.#ready(stream)
  }

  consumed(id: number, bytes: number, nowMs: number): void {
    const stream = this.state.streams.get(id)
    if (!stream || stream.doneReceived || !stream.receive.onConsumed(bytes, nowMs)) return
    dueWindow(this.state, stream)
    this.state.end.handler.onWork()
  }

  sendDatagram(id: number, endpoint: Endpoint, payload: Uint8Array, nowMs: number): void {
    const stream = this.state.streams.get(id)
    if (stream?.kind !== 'datagrams') return
    const message = { type: HOP_MESSAGE.DATAGRAM, stream: id, endpoint, payload } as const
    const bytes = hopMessageBytes(message)
    if (bytes > MAX_PAYLOAD_BYTES) return
    this.state.datagrams.push(message, bytes, nowMs)
    this.state.end.handler.onWork()
  }

  pay(message: PayMessage): boolean {
    const { pays, end, isOver } = this.state
    if (isOver || !pays.end.push(message)) return false
    end.handler.onWork()
    return true
  }

  setHeld(isHeld: boolean): void {
    this.state.isHeld = isHeld
    if (!isHeld) this.state.end.handler.onWork()
  }

  drain(seconds: number): void {
    this.state.drainSeconds = seconds
    this.state.end.handler.onWork()
  }

  close(): void {
    const { state } = this
    if (state.isOver) return
    for (const stream of state.streams.all()) endStream(state, stream)
    state.sender.clear()
    state.datagrams.clear()
    state.pays.end.clear()
    state.isOver = true
    state.isClosing = state.leg !== undefined
    if (state.isClosing) state.end.handler.onWork()
  }

  giveUp(): void {
    giveUpStreams(this.state)
  }

  /** Puts a question or an answer of a stream into its queue. */
  protected queueControl(stream: Stream<Control>, control: Control): void {
    stream.controls.push(control)
    this.#ready(stream)
  }

  #fault(isTunnelOver: boolean): LegFault {
    if (isTunnelOver) giveUpStreams(this.state)
    this.detachLeg()
    return { reason: CLOSE_REASON.PROTOCOL, isTunnelOver }
  }

  #writable(id: number): Stream<Control> | undefined {
    const { end, streams } = this.state
    const stream = streams.get(id)
    if (stream?.kind !== 'connection' || stream.ending || stream.resetting !== undefined) {
      return undefined
    }
    assert(end.role === 'client' || stream.answered, 'an exit writes after `connected`')
    return stream
  }

  #ready(stream: Stream<Control>): void {
    this.state.streams.markReady(stream)
    if (stream.ready) this.state.end.handler.onWork()
  }
}
