/**
 * Messages between the two ends of a link (SPEC §4.4), each one body of a message list. When to send which is the
 * link folder's.
 *
 * ```text
 * 1 PING              u64 token
 * 2 PONG              u64 token
 * 3 NETINFO           u8 family ‖ address ‖ u64 time
 * 4 DIRECTORY_GET     u16 request id ‖ u64 since
 * 5 DIRECTORY_PART    u16 request id ‖ u8 last ‖ u64 as of ‖ block
 * 6 DIRECTORY_PUBLISH descriptor
 * 7 DRAIN             u16 seconds
 * 8 PAY               payment message
 * 9 REDEEM            u16 request id ‖ order
 * 10 REDEEMED         u16 request id ‖ u8 answer
 * 11 PROOF_GET        u16 request id ‖ provider[20] ‖ u32 epoch, 0 for the newest
 * 12 PROOF            u16 request id ‖ service proof, or nothing
 * 13 REACH            u16 request id ‖ u16 port
 * 14 REACHED          u16 request id ‖ u8 result
 * ```
 * @module
 */
import { unreachable } from '@byway/protocol/base'
import { addressBytesOf, type IpBytes, readIp, writeIp } from './address.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { MAX_DESCRIPTOR_BYTES, MIN_DESCRIPTOR_BYTES } from './descriptor.ts'
import { wireError } from './errors.ts'
import { CHAIN_ADDRESS_BYTES } from './opening.ts'
import { decodePayMessage } from './pay-message-decode.ts'
import { encodePayMessage, payMessageBytes } from './pay-message-encode.ts'
import type { PayMessage } from './pay-messages.ts'
import { MAX_REDEEM_BYTES } from './redeem-order.ts'
import { readReachResult, type ReachResult } from './reach-result.ts'
import {
  isRecordBody,
  readRecordPart,
  RECORD_HEADER_BYTES,
  type RecordPart,
} from './record-part.ts'
import { readRedeemAnswer, type RedeemAnswer } from './redeem-answer.ts'

/** SPEC §4.4. Names are those of the table. */
export const LINK_MESSAGE = {
  PING: 1,
  PONG: 2,
  NETINFO: 3,
  DIRECTORY_GET: 4,
  DIRECTORY_PART: 5,
  DIRECTORY_PUBLISH: 6,
  DRAIN: 7,
  PAY: 8,
  REDEEM: 9,
  REDEEMED: 10,
  PROOF_GET: 11,
  PROOF: 12,
  REACH: 13,
  REACHED: 14,
  RECORD_GET: 15,
  RECORD: 16,
} as const
export type LinkMessageType = (typeof LINK_MESSAGE)[keyof typeof LINK_MESSAGE]

type Types = typeof LINK_MESSAGE

export type LinkMessage =
  /** The token is opaque: 8 bytes as a bigint, so that it can be compared and kept in a map. */
  | { readonly type: Types['PING' | 'PONG']; readonly token: bigint }
  | { readonly type: Types['NETINFO']; readonly address: IpBytes; readonly timeS: number }
  | {
      readonly type: Types['DIRECTORY_GET']
      readonly requestId: number
      /** Of the answerer's clock: only what it accepted then or later is wanted; 0 for all. */
      readonly sinceS: number
    }
  /** The block is a view into the cell, not unpacked yet (SPEC §10.2). */
  | {
      readonly type: Types['DIRECTORY_PART']
      readonly requestId: number
      readonly last: boolean
      /** The answerer's clock: what to ask `since` the next time. */
      readonly asOfS: number
      readonly block: Uint8Array
    }
  /** The descriptor is a view into the cell, not parsed yet. */
  | { readonly type: Types['DIRECTORY_PUBLISH']; readonly descriptor: Uint8Array }
  | { readonly type: Types['DRAIN']; readonly seconds: number }
  /** Between a client and its entry only (SPEC §15.1). */
  | { readonly type: Types['PAY']; readonly pay: PayMessage }
  /** Between nodes only. The order is a view into the cell, not parsed yet. */
  | { readonly type: Types['REDEEM']; readonly requestId: number; readonly order: Uint8Array }
  | { readonly type: Types['REDEEMED']; readonly requestId: number; readonly answer: RedeemAnswer }
  | {
      readonly type: Types['PROOF_GET']
      readonly requestId: number
      /** Whose, 20 bytes. */
      readonly provider: Uint8Array
      /** 0 for the newest that there is. */
      readonly epoch: number
    }
  /** The proof is a view into the cell, not judged here; empty where there is none. */
  | { readonly type: Types['PROOF']; readonly requestId: number; readonly proof: Uint8Array }
  /** Between nodes only: is this port reached at the address from which the link comes? */
  | { readonly type: Types['REACH']; readonly requestId: number; readonly port: number }
  | { readonly type: Types['REACHED']; readonly requestId: number; readonly result: ReachResult }
  | {
      readonly type: Types['RECORD_GET']
      readonly requestId: number
      /** 32 bytes (SPEC §10.6). */
      readonly name: Uint8Array
      /** Seconds; 0 for the newest that there is. */
      readonly atS: number
      /** Heads from this page on are wanted; 0 for the newest alone. */
      readonly page: number
    }
  /** The body is a view into the cell, not parsed yet: a proof, some heads, or nothing at the end. */
  | {
      readonly type: Types['RECORD']
      readonly requestId: number
      readonly part: RecordPart
      readonly body: Uint8Array
    }

/**
 * Decodes the body of one link message.
 *
 * @throws WIRE_TYPE for a type not in the table, WIRE_LENGTH, WIRE_VALUE
 */
export function decodeLinkMessage(type: number, body: Uint8Array): LinkMessage {
  const reader = new ByteReader(body)
  const message = readLinkMessage(type, reader)
  reader.end('linkMessage')
  return message
}

/** Encodes the body of one link message. @throws WIRE_ENCODE */
export function encodeLinkMessage(message: LinkMessage): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(linkMessageBytes(message)))
  switch (message.type) {
    case LINK_MESSAGE.PING:
    case LINK_MESSAGE.PONG:
      writeToken(writer, message.token)
      break
    case LINK_MESSAGE.NETINFO:
      writeIp(writer, message.address).u64(message.timeS, 'time')
      break
    case LINK_MESSAGE.DIRECTORY_GET:
      writer.u16(message.requestId, 'requestId').u64(message.sinceS, 'since')
      break
    case LINK_MESSAGE.DIRECTORY_PART:
      writer.u16(message.requestId, 'requestId').u8(message.last ? 1 : 0, 'last')
      writer.u64(message.asOfS, 'asOf').raw(message.block, 'block')
      break
    case LINK_MESSAGE.DIRECTORY_PUBLISH:
      requireDescriptorBytes(message.descriptor)
      writer.raw(message.descriptor, 'descriptor')
      break
    case LINK_MESSAGE.DRAIN:
      writer.u16(message.seconds, 'seconds')
      break
    case LINK_MESSAGE.PAY:
      writer.raw(encodePayMessage(message.pay), 'pay')
      break
    case LINK_MESSAGE.REDEEM:
      writer.u16(message.requestId, 'requestId').raw(message.order, 'order')
      break
    case LINK_MESSAGE.REDEEMED:
      writer.u16(message.requestId, 'requestId').u8(message.answer, 'answer')
      break
    case LINK_MESSAGE.PROOF_GET:
      writer.u16(message.requestId, 'requestId')
      writer.fixed(message.provider, CHAIN_ADDRESS_BYTES, 'provider').u32(message.epoch, 'epoch')
      break
    case LINK_MESSAGE.PROOF:
      requireProofBytes(message.proof)
      writer.u16(message.requestId, 'requestId').raw(message.proof, 'proof')
      break
    case LINK_MESSAGE.REACH:
      writer.u16(message.requestId, 'requestId').u16(message.port, 'port')
      break
    case LINK_MESSAGE.REACHED:
      writer.u16(message.requestId, 'requestId').u8(message.result, 'result')
      break
    case LINK_MESSAGE.RECORD_GET:
      writer.u16(message.requestId, 'requestId').fixed(message.name, 32, 'name')
      writer.u64(message.atS, 'at').u32(message.page, 'page')
      break
    case LINK_MESSAGE.RECORD:
      if (!isRecordBody(message.part, message.body.length))
        throw wireError('WIRE_ENCODE', { field: 'record' })
      writer.u16(message.requestId, 'requestId').u8(message.part, 'part').raw(message.body, 'body')
      break
  }
  return writer.done()
}

/** Returns the bytes of the body that {@link encodeLinkMessage} makes. */
export function linkMessageBytes(message: LinkMessage): number {
  switch (message.type) {
    case LINK_MESSAGE.PING:
    case LINK_MESSAGE.PONG:
      return 8
    case LINK_MESSAGE.NETINFO:
      return 1 + addressBytesOf(message.address.family) + 8
    case LINK_MESSAGE.DIRECTORY_GET:
      return 10
    case LINK_MESSAGE.DRAIN:
      return 2
    case LINK_MESSAGE.DIRECTORY_PART:
      return DIRECTORY_PART_HEADER_BYTES + message.block.length
    case LINK_MESSAGE.DIRECTORY_PUBLISH:
      return message.descriptor.length
    case LINK_MESSAGE.PAY:
      return payMessageBytes(message.pay)
    case LINK_MESSAGE.REDEEM:
      return 2 + message.order.length
    case LINK_MESSAGE.REACH:
      return 4
    case LINK_MESSAGE.REDEEMED:
    case LINK_MESSAGE.REACHED:
      return 3
    case LINK_MESSAGE.PROOF_GET:
      return 2 + CHAIN_ADDRESS_BYTES + 4
    case LINK_MESSAGE.PROOF:
      return 2 + message.proof.length
    case LINK_MESSAGE.RECORD_GET:
      return 2 + 32 + 8 + 4
    case LINK_MESSAGE.RECORD:
      return RECORD_HEADER_BYTES + message.body.length
    default:
      return unreachable(message, 'every link message has a size')
  }
}

/** Bytes of a service proof (SPEC §17.4), which is opaque here. */
export const SERVICE_PROOF_BYTES = 4890

/** Bytes of DIRECTORY_PART before its block, for a packer. */
export const DIRECTORY_PART_HEADER_BYTES = 11

function readLinkMessage(type: number, reader: ByteReader): LinkMessage {
  switch (type) {
    case LINK_MESSAGE.PING:
    case LINK_MESSAGE.PONG:
      return { type, token: readToken(reader) }
    case LINK_MESSAGE.NETINFO:
      return { type, address: readIp(reader), timeS: reader.u64('time') }
    case LINK_MESSAGE.DIRECTORY_GET:
      return { type, requestId: reader.u16('requestId'), sinceS: reader.u64('since') }
    case LINK_MESSAGE.DIRECTORY_PART:
      return {
        type,
        requestId: reader.u16('requestId'),
        last: readLast(reader),
        asOfS: reader.u64('asOf'),
        block: reader.rest(),
      }
    case LINK_MESSAGE.DIRECTORY_PUBLISH:
      return { type, descriptor: readDescriptor(reader, reader.left) }
    case LINK_MESSAGE.DRAIN:
      return { type, seconds: reader.u16('seconds') }
    case LINK_MESSAGE.PAY:
      return { type, pay: decodePayMessage(reader.rest()) }
    case LINK_MESSAGE.REDEEM:
      return { type, requestId: reader.u16('requestId'), order: readOrder(reader) }
    case LINK_MESSAGE.REDEEMED:
      return { type, requestId: reader.u16('requestId'), answer: readRedeemAnswer(reader) }
    case LINK_MESSAGE.PROOF_GET:
      return {
        type,
        requestId: reader.u16('requestId'),
        provider: reader.copy(CHAIN_ADDRESS_BYTES, 'provider'),
        epoch: reader.u32('epoch'),
      }
    case LINK_MESSAGE.PROOF:
      return { type, requestId: reader.u16('requestId'), proof: readProof(reader) }
    case LINK_MESSAGE.REACH:
      return { type, requestId: reader.u16('requestId'), port: readPort(reader) }
    case LINK_MESSAGE.REACHED:
      return { type, requestId: reader.u16('requestId'), result: readReachResult(reader) }
    case LINK_MESSAGE.RECORD_GET:
      return {
        type,
        requestId: reader.u16('requestId'),
        name: reader.copy(32, 'name'),
        atS: reader.u64('at'),
        page: reader.u32('page'),
      }
    case LINK_MESSAGE.RECORD:
      return { type, requestId: reader.u16('requestId'), ...readRecordPart(reader) }
    default:
      throw wireError('WIRE_TYPE', { list: 'link', type })
  }
}

function readPort(reader: ByteReader): number {
  const port = reader.u16('port')
  if (port === 0) throw wireError('WIRE_VALUE', { field: 'port', value: port })
  return port
}

function readOrder(reader: ByteReader): Uint8Array {
  if (reader.left > MAX_REDEEM_BYTES)
    throw wireError('WIRE_LENGTH', { field: 'order', want: MAX_REDEEM_BYTES, have: reader.left })
  return reader.rest()
}

/** SPEC §17.4: "a proof of any other length is refused". */
function readProof(reader: ByteReader): Uint8Array {
  const have = reader.left
  if (have !== 0 && have !== SERVICE_PROOF_BYTES)
    throw wireError('WIRE_LENGTH', { field: 'proof', want: SERVICE_PROOF_BYTES, have })
  return reader.rest()
}

function requireProofBytes({ length }: Uint8Array): void {
  if (length !== 0 && length !== SERVICE_PROOF_BYTES)
    throw wireError('WIRE_ENCODE', { field: 'proof' })
}

function readToken(reader: ByteReader): bigint {
  return (BigInt(reader.u32('token')) << 32n) | BigInt(reader.u32('token'))
}

function writeToken(writer: ByteWriter, token: bigint): void {
  if (token !== BigInt.asUintN(64, token)) throw wireError('WIRE_ENCODE', { field: 'token' })
  writer.u32(Number(token >> 32n), 'token').u32(Number(token & 0xffff_ffffn), 'token')
}

function readLast(reader: ByteReader): boolean {
  const last = reader.u8('last')
  if (last > 1) throw wireError('WIRE_VALUE', { field: 'last', value: last })
  return last === 1
}

function readDescriptor(reader: ByteReader, bytes: number): Uint8Array {
  if (bytes < MIN_DESCRIPTOR_BYTES || bytes > MAX_DESCRIPTOR_BYTES) {
    throw wireError('WIRE_LENGTH', { field: 'descriptor', want: MAX_DESCRIPTOR_BYTES, have: bytes })
  }
  return reader.view(bytes, 'descriptor')
}

function requireDescriptorBytes({ length }: Uint8Array): void {
  if (length < MIN_DESCRIPTOR_BYTES || length > MAX_DESCRIPTOR_BYTES) {
    throw wireError('WIRE_ENCODE', { field: 'descriptor' })
  }
}
