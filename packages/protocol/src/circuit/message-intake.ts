/**
 * Takes the messages of one list in at a tunnel's end (SPEC §7, §8, §9). Whatever breaks a rule ends the tunnel's leg; nothing
 * throws. Callbacks may detach the leg or close the tunnel: the rest of the list is then dropped.
 * @module
 */
import {
  decodeHopMessage,
  HOP_MESSAGE,
  type HopMessage,
  hopMessageBytes,
  isClientPay,
  isSequenced,
  MessageListReader,
  RESET_REASON,
  type SequencedMessage,
} from '@byway/protocol/wire'
import { BywayError } from '@byway/protocol/base'
import type { ClientTunnelKeys } from './tunnel-keys.ts'
import type { Leg } from './leg.ts'
import { takeListOfHop } from './pay-cells.ts'
import { INITIAL_WINDOW_BYTES } from './send-half.ts'
import type { Stream, StreamKind } from './stream.ts'
import {
  type Control,
  dueWindow,
  endStream,
  releaseBlocked,
  type TunnelState,
} from './tunnel-state.ts'

/** Who is told what a list cannot settle by itself. */
export type IntakeContext = {
  readonly state: TunnelState
  readonly leg: Leg
  /** Undefined at the exit. */
  readonly clientKeys: ClientTunnelKeys | undefined
  readonly nowMs: number
}

/** Takes a whole list; false when it breaks a rule. `skipFirst`: the greeting was taken already. */
export function takeList(context: IntakeContext, list: Uint8Array, skipFirst: boolean): boolean {
  const { state, leg } = context
  const reader = new MessageListReader().reset(list)
  try {
    if (skipFirst && !reader.next()) return false
    while (reader.next()) {
      if (!takeMessage(context, decodeHopMessage(reader.type, reader.body()))) return false
      if (state.leg !== leg || state.isOver) return true
    }
    return true
  } catch (error) {
    if (error instanceof BywayError && error.kind === 'peer') return false
    throw error
  }
}

/** Takes a list of a hop before the last one: what it is paid, that it is about to stop, and nothing else. */
export function takeHopList({ state }: IntakeContext, list: Uint8Array, hop: number): boolean {
  const { handler } = state.end
  return takeListOfHop(list, {
    onPay: (message) => handler.onPay(message, hop),
    onDraining: (seconds) => handler.onDraining(seconds, hop),
  })
}

function takeMessage(context: IntakeContext, message: HopMessage): boolean {
  const { state } = context
  // SPEC §9.2: nothing comes before JOINED.
  if (state.isJoining && message.type !== HOP_MESSAGE.JOINED) return false
  if (isSequenced(message)) return takeSequenced(context, message)
  return takeUnsequenced(context, message)
}

function takeUnsequenced(
  context: IntakeContext,
  message: Exclude<HopMessage, SequencedMessage>,
): boolean {
  const { state } = context
  switch (message.type) {
    case HOP_MESSAGE.ACK_REQUEST:
      return context.leg.debt.add(message.serial, message.random)
    case HOP_MESSAGE.ACK:
      return context.leg.window.onAck(message.serial, message.random, context.nowMs)
    case HOP_MESSAGE.TUNNEL_ACK:
      if (!state.sender.onAck(message.nextSequence)) return false
      releaseBlocked(state)
      return true
    case HOP_MESSAGE.WINDOW:
      return takeWindow(state, message.stream, message.offset)
    case HOP_MESSAGE.JOINED:
      return takeJoined(context, message)
    case HOP_MESSAGE.CLOSE:
      giveUpStreams(state)
      return true
    case HOP_MESSAGE.DRAIN:
      state.end.handler.onDraining(message.seconds, undefined)
      return true
    case HOP_MESSAGE.DATAGRAM: {
      const stream = state.streams.get(message.stream)
      if (!stream) return state.streams.isLate(message.stream, 0)
      if (stream.kind !== 'datagrams') return false
      state.usefulBytes += hopMessageBytes(message)
      // A copy: the cell goes with the long payload of a stream that may stand in it, whose user frees it.
      state.end.handler.onDatagram(stream.id, message.endpoint, message.payload.slice())
      return true
    }
    case HOP_MESSAGE.PAY:
      // SPEC §15.1: what the other side sends is a protocol error.
      if (isClientPay(message.pay) !== (state.end.role === 'exit')) return false
      return state.end.handler.onPay(message.pay, undefined)
    case HOP_MESSAGE.OPEN:
    case HOP_MESSAGE.JOIN:
      break
  }
  // SPEC §9.2: OPEN and JOIN are the first message on a fresh leg, or nothing.
  return false
}

function takeWindow(state: TunnelState, id: number, offset: number): boolean {
  const stream = state.streams.get(id)
  if (!stream) return state.streams.isLate(id, 0)
  if (!stream.send.grant(offset)) return false
  state.streams.markReady(stream)
  return true
}

function takeJoined(
  { state, clientKeys }: IntakeContext,
  message: Extract<HopMessage, { type: typeof HOP_MESSAGE.JOINED }>,
): boolean {
  if (state.end.role !== 'client' || !state.isJoining || !clientKeys?.onJoined(message))
    return false
  state.isJoining = false
  if (!state.sender.rewind(message.nextSequence)) return false
  repeatWindows(state)
  // Some message must tell the exit that JOINED arrived (SPEC §9.2, "until a message has arrived").
  state.isTunnelAckDue = true
  state.end.handler.onJoined()
  return true
}

/**
 * SPEC §8.3: the offset is repeated after a JOIN for every open stream. One that was never raised goes without saying; and its
 * BEGIN may have been lost with the older leg, so that the other end would not know the stream yet.
 */
export function repeatWindows(state: TunnelState): void {
  for (const stream of state.streams.all()) {
    const isRaised = stream.receive.grantedOffset > INITIAL_WINDOW_BYTES
    if (stream.kind === 'connection' && !stream.doneReceived && isRaised) dueWindow(state, stream)
  }
}

function takeSequenced(context: IntakeContext, message: SequencedMessage): boolean {
  const { state } = context
  const verdict = state.receiver.accept(message.sequence)
  if (verdict !== 'take') return verdict === 'duplicate'
  state.usefulBytes += hopMessageBytes(message)
  switch (message.type) {
    case HOP_MESSAGE.BEGIN:
      return takeBeginning(context, message, 'connection')
    case HOP_MESSAGE.RESOLVE:
      return takeBeginning(context, message, 'lookup')
    case HOP_MESSAGE.ASSOCIATE:
      return takeBeginning(context, message, 'datagrams')
    case HOP_MESSAGE.CONNECTED:
    case HOP_MESSAGE.RESOLVED:
      return takeAnswer(state, message)
    case HOP_MESSAGE.DATA:
    case HOP_MESSAGE.DONE:
    case HOP_MESSAGE.RESET:
      return takeForStream(state, message)
    default:
      return false
  }
}

function takeBeginning(
  { state, nowMs }: IntakeContext,
  message: SequencedMessage,
  kind: StreamKind,
): boolean {
  const { end, streams } = state
  if (end.role !== 'exit') return false
  // Refused streams wait until their RESET can go: who begins more and acknowledges nothing fills the memory.
  if (streams.size >= state.maxStreams * REFUSED_FACTOR) return false
  const stream = streams.begin(message.stream, kind, nowMs)
  if (!stream) return false
  if (streams.size > state.maxStreams) {
    stream.resetting = RESET_REASON.RESOURCE_LIMIT
    streams.markReady(stream)
    end.handler.onWork()
    return true
  }
  if (message.type === HOP_MESSAGE.BEGIN) {
    const { host, port, flags } = message
    end.handler.onBegin(stream.id, { host, port, flags })
  } else if (message.type === HOP_MESSAGE.RESOLVE) {
    end.handler.onResolve(stream.id, message.host, message.flags)
  } else {
    end.handler.onAssociate(stream.id)
  }
  return true
}

function takeAnswer(state: TunnelState, message: SequencedMessage): boolean {
  const { end, streams } = state
  if (end.role !== 'client') return false
  const stream = streams.get(message.stream)
  if (!stream) return streams.isLate(message.stream, 0)
  // An answer comes once, to a question that was sent.
  if (stream.answered || !isBegun(state, stream)) return false
  const wasReset = stream.resetting !== undefined
  if (message.type === HOP_MESSAGE.CONNECTED) {
    if (stream.kind !== 'connection') return false
    stream.answered = true
    if (!wasReset) end.handler.onConnected(stream.id, message.family)
    return true
  }
  if (stream.kind !== 'lookup' || message.type !== HOP_MESSAGE.RESOLVED) return false
  const { reason, ttlS, addresses } = message
  endStream(state, stream)
  if (!wasReset) end.handler.onResolved(stream.id, { reason, ttlS, addresses })
  return true
}

function takeForStream(state: TunnelState, message: SequencedMessage): boolean {
  const { end, streams } = state
  const dataBytes = message.type === HOP_MESSAGE.DATA ? message.payload.length : 0
  const stream = streams.get(message.stream)
  if (!stream) return streams.isLate(message.stream, dataBytes)
  if (!isBegun(state, stream)) return false
  if (message.type === HOP_MESSAGE.RESET) {
    const wasReset = stream.resetting !== undefined
    endStream(state, stream)
    if (!wasReset) end.handler.onReset(stream.id, message.reason)
    return true
  }
  // SPEC §7.2: DATA beyond the window or after DONE kills the circuit; so does an answer before CONNECTED.
  if (stream.kind !== 'connection' || stream.doneReceived) return false
  if (end.role === 'client' && !stream.answered) return false
  if (message.type === HOP_MESSAGE.DATA) {
    if (!stream.receive.onData(dataBytes)) return false
    if (stream.resetting === undefined) end.handler.onData(stream.id, ownPayload(message.payload))
    return true
  }
  stream.doneReceived = true
  if (stream.doneSent) endStream(state, stream)
  if (stream.resetting === undefined) end.handler.onEnd(stream.id)
  return true
}

/**
 * A payload of more than half of its cell is the only such one and takes the cell along; a smaller one is copied, so that no two
 * streams share memory and a few bytes do not keep a cell alive.
 */
function ownPayload(payload: Uint8Array): Uint8Array {
  return payload.length * 2 > payload.buffer.byteLength ? payload : payload.slice()
}

/** At the client a stream is begun once its BEGIN, RESOLVE or ASSOCIATE has been sent. */
function isBegun(state: TunnelState, stream: Stream<Control>): boolean {
  return state.end.role === 'exit' || stream.controls.length === 0
}

/** Ends the tunnel: every stream is reset, none ends cleanly (SPEC §9.3, THREAT-MODEL T20). */
export function giveUpStreams(state: TunnelState): void {
  if (state.isOver) return
  state.isOver = true
  state.leg = undefined
  state.sender.clear()
  state.datagrams.clear()
  state.pays.end.clear()
  for (const stream of state.streams.all()) {
    const wasTold = stream.resetting !== undefined
    endStream(state, stream)
    if (!wasTold) state.end.handler.onReset(stream.id, RESET_REASON.CONNECTION_RESET)
  }
  state.end.handler.onOver()
}

/** Local limit (tunable): streams, refused ones among them, for each that may be open; a client that knows the limit comes nowhere near. */
const REFUSED_FACTOR = 4
