/**
 * What a tunnel's end is made of, shared by the files that pack cells, take messages in and serve the driver.
 * @module
 */
import { freeMemory } from '@byway/protocol/base'
import type {
  DatagramMessage,
  Endpoint,
  HopMessage,
  IpBytes,
  IpFamily,
  PayMessage,
  ResetReason,
  SequencedMessage,
} from '@byway/protocol/wire'
import { createDatagramQueue, type DatagramQueue } from './datagram-queue.ts'
import type { Leg } from './leg.ts'
import { createPayQueues, type PayQueues } from './pay-queues.ts'
import type { Stream } from './stream.ts'
import { createStreamTable, type StreamTable } from './stream-table.ts'
import { createTunnelReceiver, type TunnelReceiver } from './tunnel-receiver.ts'
import { createTunnelSender, type TunnelSender } from './tunnel-sender.ts'

/** A sequenced message that waits for its number: the codec's, the number aside. */
export type Control = WithoutSequence<SequencedMessage>
type WithoutSequence<M> = M extends SequencedMessage ? Omit<M, 'sequence'> : never

/** A sequenced message in keeping. For DATA `body` is the payload alone, else the encoded body with its number. */
export type KeptMessage = {
  readonly type: number
  readonly stream: number
  readonly body: Uint8Array
  /** `body` is the end of memory that is the tunnel's; all messages with earlier parts of it have lower numbers. */
  readonly endsOwned: boolean
}

/** What RESOLVED says; `reason` is undefined when the name was found. */
export type ResolveAnswer = {
  readonly reason: ResetReason | undefined
  readonly ttlS: number
  readonly addresses: readonly IpBytes[]
}

/** What a BEGIN or RESOLVE asks for. `flags` are bits of `ADDRESS_FLAG`. */
export type ConnectRequest = {
  readonly host: string
  readonly port: number
  readonly flags: number
}

/** What the driver is told at either end. Callbacks may call the tunnel, but not `pump`. They must not throw. */
export interface TunnelHandler {
  /** There is something to send: call `pump` before the event loop sleeps. May be called often. */
  onWork(): void
  /**
   * Bytes of a stream; call `consumed` for them in the end. The view may be kept, and no one else uses its memory: `freeMemory`
   * is allowed, though not before the callback has returned.
   */
  onData(stream: number, bytes: Uint8Array): void
  /** The other end sends no more on this stream: the only clean end there is (SPEC §9.3, THREAT-MODEL T20). */
  onEnd(stream: number): void
  /** The stream is over, without a clean end. Nothing more comes for it. */
  onReset(stream: number, reason: ResetReason): void
  /** A `write` that returned false may go on. */
  onDrained(stream: number): void
  /** The payload is the handler's alone. */
  onDatagram(stream: number, endpoint: Endpoint, payload: Uint8Array): void
  /** A hop stops serving in so many seconds; `hop` counts from 0, undefined is the other end. */
  onDraining(seconds: number, hop: number | undefined): void
  /**
   * A payment message that the other end may send: `hop` counts from 0, undefined is the other end. False says that it breaks a
   * rule, in a network without payment for one: the leg dies of it, and with the other end the tunnel.
   */
  onPay(message: PayMessage, hop: number | undefined): boolean
  /** The tunnel is over: the other end said so, broke a rule, or it was given up. Its streams were reset before. */
  onOver(): void
}

/** What the client's driver is told. */
export interface ClientTunnelHandler extends TunnelHandler {
  onConnected(stream: number, family: IpFamily): void
  /** The lookup is over with it. */
  onResolved(stream: number, answer: ResolveAnswer): void
  /** The exit has answered JOIN: the streams go on. */
  onJoined(): void
}

/** What the exit's driver is told. Answer with `connected` or `reset`, `resolved`, or nothing for datagrams. */
export interface ExitTunnelHandler extends TunnelHandler {
  onBegin(stream: number, request: ConnectRequest): void
  onResolve(stream: number, host: string, flags: number): void
  onAssociate(stream: number): void
}

/** Which end this is, with what only that end is told. */
export type TunnelEndRole =
  | { readonly role: 'client'; readonly handler: ClientTunnelHandler }
  | { readonly role: 'exit'; readonly handler: ExitTunnelHandler }

/** The state of one end. */
export type TunnelState = {
  readonly end: TunnelEndRole
  readonly maxStreams: number
  readonly sender: TunnelSender<KeptMessage>
  readonly receiver: TunnelReceiver
  readonly streams: StreamTable<Control>
  readonly datagrams: DatagramQueue<DatagramMessage>
  /** Payment messages that wait; those for the other end outlive a leg, those for hops before it do not. */
  readonly pays: PayQueues
  /** Streams whose WINDOW is due; may hold some that are over. */
  readonly windowsDue: Stream<Control>[]
  /** Streams whose application waits for `onDrained`. */
  readonly blocked: Set<Stream<Control>>
  leg: Leg | undefined
  /** OPEN, JOIN or JOINED that must go first on the leg. */
  greeting: HopMessage | undefined
  /** A JOIN was made and its JOINED has not come: nothing else may go. */
  isJoining: boolean
  isTunnelAckDue: boolean
  /** An ACK_REQUEST must go although nothing is in flight: does anybody answer? */
  isProbeDue: boolean
  drainSeconds: number | undefined
  /** Nothing of the streams may go: it is not paid for (SPEC §15.4). */
  isHeld: boolean
  /** CLOSE must be sent. */
  isClosing: boolean
  isOver: boolean
  /** Bytes of sequenced messages and datagrams that were taken: what the other end was asked for (SPEC §15.3). */
  usefulBytes: number
  /** Bytes that wait in the streams' sending halves. */
  queuedBytes: number
}

/** Creates the state of a fresh tunnel without a leg. */
export function createTunnelState(end: TunnelEndRole, maxStreams: number): TunnelState {
  return {
    end,
    maxStreams,
    sender: createTunnelSender(freeAcked),
    receiver: createTunnelReceiver(),
    streams: createStreamTable(),
    datagrams: createDatagramQueue(),
    pays: createPayQueues(),
    windowsDue: [],
    blocked: new Set(),
    leg: undefined,
    greeting: undefined,
    isJoining: false,
    isTunnelAckDue: false,
    isProbeDue: false,
    drainSeconds: undefined,
    isHeld: false,
    isClosing: false,
    isOver: false,
    usefulBytes: 0,
    queuedBytes: 0,
  }
}

/** SPEC §9.1: acknowledged in order, so that nothing needs the memory of an owned chunk once its last message is. */
function freeAcked({ body, endsOwned }: KeptMessage): void {
  if (endsOwned) freeMemory(new Uint8Array(body.buffer))
}

/** Marks a WINDOW as due. */
export function dueWindow(state: TunnelState, stream: Stream<Control>): void {
  if (stream.windowDue) return
  stream.windowDue = true
  state.windowsDue.push(stream)
}

/** Forgets a stream that is over, with what waits in it. */
export function endStream(state: TunnelState, stream: Stream<Control>): void {
  state.queuedBytes -= stream.send.queuedBytes
  state.blocked.delete(stream)
  state.streams.end(stream)
}

/** True while an application may go on writing to the stream. */
export function mayWrite(state: TunnelState, stream: Stream<Control>): boolean {
  const { queuedBytes } = stream.send
  // Streams whose readers have stopped must not take the whole allowance from those that go on.
  if (state.leg && queuedBytes < STREAM_FLOOR_BYTES) return true
  const held = state.queuedBytes + state.sender.keptBytes
  return queuedBytes < STREAM_HIGH_WATER_BYTES && held < TUNNEL_HIGH_WATER_BYTES
}

/** Tells the applications that were told to wait and need no longer. */
export function releaseBlocked(state: TunnelState): void {
  for (const stream of state.blocked) {
    if (stream.send.queuedBytes > STREAM_LOW_WATER_BYTES || !mayWrite(state, stream)) continue
    if (state.blocked.delete(stream)) state.end.handler.onDrained(stream.id)
  }
}

const KIB = 1024

// Local limits (tunable).
/** A stream is told to wait from here on: what a few large cells take, so that a cell is never short of bytes. */
const STREAM_HIGH_WATER_BYTES = 256 * KIB
const STREAM_LOW_WATER_BYTES = 128 * KIB
/** What each stream may hold on a leg whatever the others do: two large cells. */
const STREAM_FLOOR_BYTES = 32 * KIB
/** All streams of a tunnel together with what is kept for another leg: what an orphan may hold (SPEC §9.3). */
const TUNNEL_HIGH_WATER_BYTES = 4096 * KIB
