/**
 * Encodes the bodies of hop messages (SPEC §7.1), the inverse of hop-message-decode.ts. A tunnel keeps the encoded body
 * of a sequenced message until it is acknowledged and appends the same bytes again on a new leg.
 * @module
 */
import { addressBytesOf, writeIp } from './address.ts'
import { ByteWriter } from './byte-writer.ts'
import { endpointBytes, writeEndpoint } from './endpoint.ts'
import { wireError } from './errors.ts'
import {
  DATA_HEADER_BYTES,
  HOP_MESSAGE,
  type HopMessage,
  isSequenced,
  type SequencedMessage,
} from './hop-messages.ts'
import { encodeHost } from './host.ts'
import { writeU32, writeU64 } from './integers.ts'
import type { MessageListWriter } from './message-list.ts'
import { encodePayMessage, payMessageBytes } from './pay-message-encode.ts'
import { writeTunnelTerms } from './traffic-class.ts'

type UnsequencedMessage = Exclude<HopMessage, SequencedMessage>

/** Encodes the body of one hop message. @throws WIRE_ENCODE */
export function encodeHopMessage(message: HopMessage): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(hopMessageBytes(message)))
  if (isSequenced(message)) writeSequenced(writer, message)
  else writeUnsequenced(writer, message)
  return writer.done()
}

/** Appends one hop message to a list; false, with nothing written, when it does not fit. @throws WIRE_ENCODE */
export function appendHopMessage(list: MessageListWriter, message: HopMessage): boolean {
  return list.append(message.type, encodeHopMessage(message))
}

/**
 * Appends the header of a DATA message and leaves its payload to the caller, who copies `payloadBytes` to the returned
 * offset of `list.region`; −1, with nothing written, when it does not fit. The hot path: allocates nothing.
 */
export function appendData(
  list: MessageListWriter,
  sequence: number,
  stream: number,
  payloadBytes: number,
): number {
  const at = list.reserve(HOP_MESSAGE.DATA, DATA_HEADER_BYTES + payloadBytes)
  if (at < 0) return at
  writeU64(list.region, at, sequence)
  writeU32(list.region, at + 8, stream)
  return at + DATA_HEADER_BYTES
}

/** Returns the longest payload that {@link appendData} can take now; negative when not even an empty one fits. */
export function dataRoomBytes(list: MessageListWriter): number {
  return list.roomBytes - DATA_HEADER_BYTES
}

/** Returns the bytes of the body that {@link encodeHopMessage} makes. */
export function hopMessageBytes(message: HopMessage): number {
  const { type } = message
  if (type === HOP_MESSAGE.DATA) return DATA_HEADER_BYTES + message.payload.length
  if (type === HOP_MESSAGE.BEGIN) return 12 + 1 + 2 + 1 + message.host.length
  if (type === HOP_MESSAGE.RESOLVE) return 12 + 1 + message.host.length
  if (type === HOP_MESSAGE.RESOLVED) {
    return message.addresses.reduce((sum, { family }) => sum + 1 + addressBytesOf(family), 12 + 6)
  }
  if (type === HOP_MESSAGE.DATAGRAM) {
    return 4 + endpointBytes(message.endpoint) + message.payload.length
  }
  if (type === HOP_MESSAGE.PAY) return payMessageBytes(message.pay)
  return FIXED_BODY_BYTES[type]
}

function writeUnsequenced(writer: ByteWriter, message: UnsequencedMessage): void {
  switch (message.type) {
    case HOP_MESSAGE.ACK_REQUEST:
    case HOP_MESSAGE.ACK:
      writer.u32(message.serial, 'serial').fixed(message.random, 8, 'random')
      break
    case HOP_MESSAGE.TUNNEL_ACK:
      writer.u64(message.nextSequence, 'nextSequence')
      break
    case HOP_MESSAGE.WINDOW:
      writeStream(writer, message.stream).u64(message.offset, 'offset')
      break
    case HOP_MESSAGE.OPEN:
      writeTunnelTerms(writer.fixed(message.tunnelId, 16, 'tunnelId'), message)
      break
    case HOP_MESSAGE.JOIN:
      writer
        .fixed(message.tunnelId, 16, 'tunnelId')
        .u32(message.generation, 'generation')
        .u64(message.nextSequence, 'nextSequence')
        .fixed(message.mac, 32, 'mac')
      break
    case HOP_MESSAGE.JOINED:
      writer
        .u32(message.generation, 'generation')
        .u64(message.nextSequence, 'nextSequence')
        .fixed(message.mac, 32, 'mac')
      break
    case HOP_MESSAGE.CLOSE:
      break
    case HOP_MESSAGE.DRAIN:
      writer.u16(message.seconds, 'seconds')
      break
    case HOP_MESSAGE.DATAGRAM:
      writeEndpoint(writeStream(writer, message.stream), message.endpoint)
      writer.raw(message.payload, 'payload')
      break
    case HOP_MESSAGE.PAY:
      writer.raw(encodePayMessage(message.pay), 'pay')
      break
  }
}

function writeSequenced(writer: ByteWriter, message: SequencedMessage): void {
  writeStream(writer.u64(message.sequence, 'sequence'), message.stream)
  switch (message.type) {
    case HOP_MESSAGE.BEGIN: {
      const host = encodeHost(message.host)
      writeFlags(writer, message.flags)
        .u16(message.port, 'port')
        .u8(host.length, 'hostBytes')
        .raw(host, 'host')
      break
    }
    case HOP_MESSAGE.CONNECTED:
      writer.u8(message.family, 'family')
      break
    case HOP_MESSAGE.DATA:
      writer.raw(message.payload, 'payload')
      break
    case HOP_MESSAGE.DONE:
    case HOP_MESSAGE.ASSOCIATE:
      break
    case HOP_MESSAGE.RESET:
      writer.u8(message.reason, 'reason')
      break
    case HOP_MESSAGE.RESOLVE:
      writeFlags(writer, message.flags).raw(encodeHost(message.host), 'host')
      break
    case HOP_MESSAGE.RESOLVED:
      writer.u8(message.reason ?? 0, 'reason').u32(message.ttlS, 'ttl')
      writer.u8(message.addresses.length, 'count')
      for (const ip of message.addresses) writeIp(writer, ip)
      break
  }
}

function writeStream(writer: ByteWriter, stream: number): ByteWriter {
  if (stream === 0) throw wireError('WIRE_ENCODE', { field: 'stream' })
  return writer.u32(stream, 'stream')
}

function writeFlags(writer: ByteWriter, flags: number): ByteWriter {
  if (flags > 7) throw wireError('WIRE_ENCODE', { field: 'flags' })
  return writer.u8(flags, 'flags')
}

/** Bodies whose size does not depend on what they say. */
const FIXED_BODY_BYTES = {
  [HOP_MESSAGE.ACK_REQUEST]: 12,
  [HOP_MESSAGE.ACK]: 12,
  [HOP_MESSAGE.TUNNEL_ACK]: 8,
  [HOP_MESSAGE.WINDOW]: 12,
  [HOP_MESSAGE.OPEN]: 19,
  [HOP_MESSAGE.JOIN]: 60,
  [HOP_MESSAGE.JOINED]: 44,
  [HOP_MESSAGE.CLOSE]: 0,
  [HOP_MESSAGE.DRAIN]: 2,
  [HOP_MESSAGE.CONNECTED]: 13,
  [HOP_MESSAGE.DONE]: 12,
  [HOP_MESSAGE.RESET]: 13,
  [HOP_MESSAGE.ASSOCIATE]: 12,
} as const
