/**
 * Decodes the bodies of hop messages (SPEC §7.1). DATA goes by a short way of its own: it is nearly every byte that an
 * exit or a client reads. The other bodies go through a checked cursor.
 *
 * ```text
 * DATA  0 8 sequence   8 4 stream   12 n payload
 * ```
 * @module
 */
import { readFamily, readIp } from './address.ts'
import { ByteReader } from './byte-reader.ts'
import { readEndpoint } from './endpoint.ts'
import { wireError } from './errors.ts'
import {
  ADDRESS_FLAG,
  DATA_HEADER_BYTES,
  type DataMessage,
  HOP_MESSAGE,
  type HopMessage,
  TUNNEL_ID_BYTES,
} from './hop-messages.ts'
import { decodeHost } from './host.ts'
import { readU32, readU64 } from './integers.ts'
import { decodePayMessage } from './pay-message-decode.ts'
import { parseResetReason, type ResetReason } from './reasons.ts'
import { readTunnelTerms } from './traffic-class.ts'

/**
 * Decodes the body of one hop message.
 *
 * @param body - may be a view into the cell; payloads of the result are views into it, everything else is copied
 * @throws WIRE_TYPE for a type not in the table, WIRE_LENGTH, WIRE_VALUE
 */
export function decodeHopMessage(type: number, body: Uint8Array): HopMessage {
  if (type === HOP_MESSAGE.DATA) return decodeData(body)
  const reader = new ByteReader(body)
  const message =
    type >= HOP_MESSAGE.BEGIN ? readSequenced(type, reader) : readUnsequenced(type, reader)
  reader.end('hopMessage')
  return message
}

/** Decodes a DATA body: no copy, one object and one view. @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeData(body: Uint8Array): DataMessage {
  if (body.length < DATA_HEADER_BYTES) {
    throw wireError('WIRE_LENGTH', { field: 'data', want: DATA_HEADER_BYTES, have: body.length })
  }
  return {
    type: HOP_MESSAGE.DATA,
    sequence: readU64(body, 0, 'sequence'),
    stream: requireStream(readU32(body, 8)),
    payload: body.subarray(DATA_HEADER_BYTES),
  }
}

function readUnsequenced(type: number, reader: ByteReader): HopMessage {
  switch (type) {
    case HOP_MESSAGE.ACK_REQUEST:
    case HOP_MESSAGE.ACK:
      return { type, serial: reader.u32('serial'), random: reader.copy(8, 'random') }
    case HOP_MESSAGE.TUNNEL_ACK:
      return { type, nextSequence: reader.u64('nextSequence') }
    case HOP_MESSAGE.WINDOW:
      return { type, stream: readStream(reader), offset: reader.u64('offset') }
    case HOP_MESSAGE.OPEN:
      return {
        type,
        tunnelId: reader.copy(TUNNEL_ID_BYTES, 'tunnelId'),
        ...readTunnelTerms(reader),
      }
    case HOP_MESSAGE.JOIN:
      return {
        type,
        tunnelId: reader.copy(TUNNEL_ID_BYTES, 'tunnelId'),
        generation: reader.u32('generation'),
        nextSequence: reader.u64('nextSequence'),
        mac: reader.copy(32, 'mac'),
      }
    case HOP_MESSAGE.JOINED:
      return {
        type,
        generation: reader.u32('generation'),
        nextSequence: reader.u64('nextSequence'),
        mac: reader.copy(32, 'mac'),
      }
    case HOP_MESSAGE.CLOSE:
      return { type }
    case HOP_MESSAGE.DRAIN:
      return { type, seconds: reader.u16('seconds') }
    case HOP_MESSAGE.DATAGRAM:
      return {
        type,
        stream: readStream(reader),
        endpoint: readEndpoint(reader),
        payload: reader.rest(),
      }
    case HOP_MESSAGE.PAY:
      return { type, pay: decodePayMessage(reader.rest()) }
    default:
      throw wireError('WIRE_TYPE', { list: 'hop', type })
  }
}

function readSequenced(type: number, reader: ByteReader): HopMessage {
  if (type > HOP_MESSAGE.ASSOCIATE) throw wireError('WIRE_TYPE', { list: 'hop', type })
  const sequence = reader.u64('sequence')
  const stream = readStream(reader)
  switch (type) {
    case HOP_MESSAGE.BEGIN: {
      const flags = readFlags(reader)
      const port = reader.u16('port')
      const host = decodeHost(reader.view(reader.u8('hostBytes'), 'host'))
      return { type, sequence, stream, flags, port, host }
    }
    case HOP_MESSAGE.CONNECTED:
      return { type, sequence, stream, family: readFamily(reader) }
    case HOP_MESSAGE.DONE:
    case HOP_MESSAGE.ASSOCIATE:
      return { type, sequence, stream }
    case HOP_MESSAGE.RESET:
      return { type, sequence, stream, reason: parseResetReason(reader.u8('reason')) }
    case HOP_MESSAGE.RESOLVE: {
      const flags = readFlags(reader)
      return { type, sequence, stream, flags, host: decodeHost(reader.rest()) }
    }
    case HOP_MESSAGE.RESOLVED: {
      const reason = readOutcome(reader)
      const ttlS = reader.u32('ttl')
      const addresses = Array.from({ length: reader.u8('count') }, () => readIp(reader))
      return { type, sequence, stream, reason, ttlS, addresses }
    }
    default:
      throw wireError('WIRE_TYPE', { list: 'hop', type })
  }
}

function readStream(reader: ByteReader): number {
  return requireStream(reader.u32('stream'))
}

/** SPEC §7.2: stream ids rise from 1. */
function requireStream(stream: number): number {
  if (stream === 0) throw wireError('WIRE_VALUE', { field: 'stream', value: 0 })
  return stream
}

function readFlags(reader: ByteReader): number {
  const flags = reader.u8('flags')
  if ((flags & ~KNOWN_FLAGS) !== 0) throw wireError('WIRE_VALUE', { field: 'flags', value: flags })
  return flags
}

/** SPEC §7.1: "u8 reason (0 = found)". */
function readOutcome(reader: ByteReader): ResetReason | undefined {
  const reason = reader.u8('reason')
  return reason === 0 ? undefined : parseResetReason(reason)
}

const KNOWN_FLAGS = ADDRESS_FLAG.IPV4 | ADDRESS_FLAG.IPV6 | ADDRESS_FLAG.PREFER_IPV6
