/**
 * Fills cells of a tunnel's end, one at a time (SPEC §4.1, §4.3, §8.1): what is owed to the other end first, then what it has
 * not seen of an earlier leg, then streams in turn, then datagrams. Decides by window, link room and waiting bytes.
 * @module
 */
import {
  appendData,
  appendHopMessage,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  dataRoomBytes,
  DATA_HEADER_BYTES,
  encodeHopMessage,
  HOP_MESSAGE,
  hopMessageBytes,
  MESSAGE_HEADER_BYTES,
  MessageListWriter,
  type SequencedMessage,
  SIZE_CLASS,
  type SizeClass,
} from '@byway/protocol/wire'
import type { Leg } from './leg.ts'
import { putPays } from './pay-cells.ts'
import type { Stream } from './stream.ts'
import type { Kept } from './tunnel-sender.ts'
import { type Control, endStream, type KeptMessage, type TunnelState } from './tunnel-state.ts'

/** Packs and sends one cell if there is something that may go; false when there is not. */
export function sendCell(state: TunnelState, leg: Leg, nowMs: number): boolean {
  const maySequence = maySendSequenced(state, leg)
  const waitingBytes = waiting(state, leg, maySequence, nowMs)
  const isStuck = !maySequence && leg.window.hasUncovered()
  const mustAsk = (isStuck || state.isProbeDue) && !state.isJoining
  if (waitingBytes === 0 && !mustAsk) return false
  const sizeClass = chooseClass(state, leg, waitingBytes, nowMs)
  const cell = new Uint8Array(cellBytesOfClass(sizeClass))
  const listEnd = CELL_HEADER_BYTES + leg.layers.listBytes(sizeClass)
  const list = LIST.reset(cell.subarray(CELL_HEADER_BYTES, listEnd))
  putOwed(state, leg, list)
  // What is paid for comes after its payment: a BEGIN must not overtake the token that admits it.
  const isPaid = state.pays.end.length === 0
  const hasSequenced = isPaid && maySequence && putSequenced(state, list, nowMs)
  if (isPaid) putDatagrams(state, list, nowMs)
  putAckRequest(state, leg, list, { nowMs, mustAsk, cellBytes: hasSequenced ? cell.length : 0 })
  list.finish()
  leg.layers.seal(cell, sizeClass)
  if (hasSequenced) leg.window.onSent(cell.length)
  leg.link.send(cell)
  return true
}

function maySendSequenced(state: TunnelState, leg: Leg): boolean {
  if (state.isHeld || state.isJoining || !leg.window.canSend()) return false
  return state.sender.peekResend() !== undefined || state.sender.hasRoom()
}

/** About how many bytes could go now; exact enough to choose a class, and 0 only when there is nothing. */
function waiting(state: TunnelState, leg: Leg, maySequence: boolean, nowMs: number): number {
  let bytes = (leg.debt.count + state.windowsDue.length) * OWED_BYTES
  if (state.greeting) bytes += GREETING_BYTES
  if (state.isJoining) return bytes
  bytes += state.pays.end.bytes
  if (state.isTunnelAckDue || state.isClosing || state.drainSeconds !== undefined)
    bytes += OWED_BYTES
  const resendBytes = state.sender.resendBytes
  if (resendBytes > 0) return maySequence ? bytes + resendBytes : bytes
  if (!state.isHeld && state.datagrams.peek(nowMs)) bytes += state.datagrams.queuedBytes
  if (!maySequence || !state.streams.nextReady()) return bytes
  return bytes + state.streams.waitingBytes(cellBytesOfClass(SIZE_CLASS.LARGE))
}

/** The link's choice, or a larger class when the message at the head does not fit into it. */
function chooseClass(state: TunnelState, leg: Leg, waitingBytes: number, nowMs: number): SizeClass {
  const roomOf = (sizeClass: SizeClass): number => leg.layers.listBytes(sizeClass)
  const preferred =
    waitingBytes <= roomOf(SIZE_CLASS.SMALL)
      ? SIZE_CLASS.SMALL
      : leg.link.preferredClass(waitingBytes)
  const head = headBytes(state, nowMs) + MESSAGE_HEADER_BYTES + ACK_REQUEST_BYTES
  if (head <= roomOf(preferred)) return preferred
  return head <= roomOf(SIZE_CLASS.MEDIUM) ? SIZE_CLASS.MEDIUM : SIZE_CLASS.LARGE
}

/** Bytes of the largest message that cannot be cut and must go next. */
function headBytes(state: TunnelState, nowMs: number): number {
  const resend = state.sender.peekResend()
  const datagram = state.datagrams.peek(nowMs)
  return Math.max(
    state.isJoining ? 0 : (state.pays.end.peek()?.length ?? 0),
    resend ? resend.message.body.length + DATA_HEADER_BYTES : 0,
    datagram ? hopMessageBytes(datagram) : 0,
  )
}

/** Greeting, ACKs with their TUNNEL_ACK, WINDOWs, DRAIN and CLOSE. What does not fit waits for the next cell. */
function putOwed(state: TunnelState, leg: Leg, list: MessageListWriter): void {
  if (state.greeting && appendHopMessage(list, state.greeting)) state.greeting = undefined
  // SPEC §9.2: the first message on a fresh leg is OPEN or JOIN, and after JOIN its answer comes first.
  if (state.isJoining) return
  for (let owed = leg.debt.peek(); owed; owed = leg.debt.peek()) {
    const { serial, token } = owed
    if (!appendHopMessage(list, { type: HOP_MESSAGE.ACK, serial, random: token })) break
    leg.debt.shift()
    state.isTunnelAckDue = true
  }
  putPays(state.pays.end, list)
  putWindows(state, list)
  const { nextExpected } = state.receiver
  if (state.isTunnelAckDue) {
    const type = HOP_MESSAGE.TUNNEL_ACK
    if (appendHopMessage(list, { type, nextSequence: nextExpected })) state.isTunnelAckDue = false
  }
  const seconds = state.drainSeconds
  if (seconds !== undefined && appendHopMessage(list, { type: HOP_MESSAGE.DRAIN, seconds })) {
    state.drainSeconds = undefined
  }
  if (state.isClosing && appendHopMessage(list, { type: HOP_MESSAGE.CLOSE }))
    state.isClosing = false
}

function putWindows(state: TunnelState, list: MessageListWriter): void {
  for (let stream = state.windowsDue.at(-1); stream; stream = state.windowsDue.at(-1)) {
    const offset = stream.receive.grantedOffset
    const isOpen = state.streams.get(stream.id) === stream
    const message = { type: HOP_MESSAGE.WINDOW, stream: stream.id, offset } as const
    if (isOpen && !appendHopMessage(list, message)) return
    state.windowsDue.pop()
    stream.windowDue = false
  }
}

/** Puts in what fits; true when at least one sequenced message went in. Leaves room for an ACK_REQUEST. */
function putSequenced(state: TunnelState, list: MessageListWriter, nowMs: number): boolean {
  let count = 0
  for (let kept = state.sender.peekResend(); kept; kept = state.sender.peekResend()) {
    if (!putKept(list, kept)) return count > 0
    state.sender.shiftResend()
    count++
  }
  for (let stream = state.streams.nextReady(); stream; stream = state.streams.nextReady()) {
    if (!state.sender.hasRoom()) break
    if (!putFrom(state, list, stream, nowMs)) {
      // The cell is full: the next one begins with another stream.
      state.streams.rotate()
      break
    }
    count++
  }
  return count > 0
}

function putKept(list: MessageListWriter, kept: Kept<KeptMessage>): boolean {
  const { type, stream, body } = kept.message
  if (type === HOP_MESSAGE.DATA) return putData(list, kept.sequence, stream, body)
  return body.length + ACK_REQUEST_BYTES <= list.roomBytes && list.append(type, body)
}

function putData(
  list: MessageListWriter,
  sequence: number,
  stream: number,
  payload: Uint8Array,
): boolean {
  if (payload.length + ACK_REQUEST_BYTES > dataRoomBytes(list)) return false
  const at = appendData(list, sequence, stream, payload.length)
  list.region.set(payload, at)
  return true
}

/** Puts one message of a stream in, in its order: RESET, or controls, data, DONE. False when it does not fit. */
function putFrom(
  state: TunnelState,
  list: MessageListWriter,
  stream: Stream<Control>,
  nowMs: number,
): boolean {
  const id = stream.id
  if (stream.resetting !== undefined) {
    const reset = { type: HOP_MESSAGE.RESET, stream: id, reason: stream.resetting }
    if (!putControl(state, list, reset, nowMs)) return false
    endStream(state, stream)
    return true
  }
  const control = stream.controls.peek()
  if (control) {
    if (!putControl(state, list, control, nowMs)) return false
    stream.controls.shift()
    if (control.type === HOP_MESSAGE.RESOLVED) endStream(state, stream)
    return true
  }
  if (stream.send.sendableBytes > 0) return putStreamData(state, list, stream, nowMs)
  if (!putControl(state, list, { type: HOP_MESSAGE.DONE, stream: id }, nowMs)) return false
  stream.doneSent = true
  if (stream.doneReceived) endStream(state, stream)
  return true
}

function putStreamData(
  state: TunnelState,
  list: MessageListWriter,
  stream: Stream<Control>,
  nowMs: number,
): boolean {
  const room = Math.min(dataRoomBytes(list) - ACK_REQUEST_BYTES, MAX_PAYLOAD_BYTES)
  if (room < MIN_PAYLOAD_BYTES && room < stream.send.sendableBytes) return false
  const payload = stream.send.take(room)
  if (!payload) return false
  state.queuedBytes -= payload.length
  putData(list, state.sender.nextSequence, stream.id, payload)
  const { endsOwned } = stream.send
  const message = { type: HOP_MESSAGE.DATA, stream: stream.id, body: payload, endsOwned }
  state.sender.keep(message, payload.length, nowMs)
  return true
}

function putControl(
  state: TunnelState,
  list: MessageListWriter,
  control: Control,
  nowMs: number,
): boolean {
  const numbered: SequencedMessage = { ...control, sequence: state.sender.nextSequence }
  const body = encodeHopMessage(numbered)
  if (body.length + ACK_REQUEST_BYTES > list.roomBytes) return false
  list.append(control.type, body)
  const message = { type: control.type, stream: control.stream, body, endsOwned: false }
  state.sender.keep(message, body.length, nowMs)
  return true
}

function putDatagrams(state: TunnelState, list: MessageListWriter, nowMs: number): void {
  // Before the streams' BEGIN and ASSOCIATE have gone again on a new leg, a datagram could be a stray.
  if (state.isHeld || state.isJoining || state.sender.peekResend()) return
  for (let next = state.datagrams.peek(nowMs); next; next = state.datagrams.peek(nowMs)) {
    if (hopMessageBytes(next) + ACK_REQUEST_BYTES > list.roomBytes) return
    appendHopMessage(list, next)
    state.datagrams.shift()
  }
}

/** Its room was left by all that went before. */
function putAckRequest(
  state: TunnelState,
  leg: Leg,
  list: MessageListWriter,
  cell: { readonly nowMs: number; readonly mustAsk: boolean; readonly cellBytes: number },
): void {
  const queueEmpties = !state.sender.peekResend() && !state.streams.nextReady()
  const { window } = leg
  const wants = cell.cellBytes > 0 && window.wantsAckRequest(cell.cellBytes, queueEmpties)
  // Without sequenced messages nobody left room before: what is owed goes first then.
  if (!wants && !(cell.mustAsk && list.roomBytes >= ACK_REQUEST_BYTES)) return
  state.isProbeDue = false
  const { serial, token } = window.takeAckRequest(cell.nowMs, cell.cellBytes)
  appendHopMessage(list, { type: HOP_MESSAGE.ACK_REQUEST, serial, random: token })
}

/** One writer for all: packing never yields. */
const LIST = new MessageListWriter()

/** ACK_REQUEST with its header: u32 serial ‖ 8 bytes. */
const ACK_REQUEST_BYTES = MESSAGE_HEADER_BYTES + 12
/** ACK, TUNNEL_ACK or WINDOW with its header, the largest of them. */
const OWED_BYTES = MESSAGE_HEADER_BYTES + 12
/** JOIN with its header, the largest of the greetings. */
const GREETING_BYTES = MESSAGE_HEADER_BYTES + 60

/**
 * The longest DATA payload: what fits a large cell on the deepest leg there is (three hops with `entryLayer`), so that a
 * message kept from a shorter leg fits every other.
 */
export const MAX_PAYLOAD_BYTES: number =
  16_375 - 3 * 17 - MESSAGE_HEADER_BYTES - DATA_HEADER_BYTES - ACK_REQUEST_BYTES
/** A shorter rest of a cell is not worth a message of its own. */
const MIN_PAYLOAD_BYTES = 64
