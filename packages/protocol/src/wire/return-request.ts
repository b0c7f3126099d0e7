/**
 * What a client asks a relayer to send for it (SPEC §15.8): one slot on its way back to its owner, with all that both steps need.
 *
 * ```text
 * ask       nothing: would this hop take one now?
 * refund    root[32] ‖ nullifier[32] ‖ idc[32] ‖ fee to[20] ‖ u32 attempt ‖ u16 n ‖ proof[n]
 * close     nullifier[32] ‖ provider[20] ‖ session key[20] ‖ destination
 * withdraw  root[32] ‖ nullifier[32] ‖ to[20] ‖ fee to[20] ‖ u16 n ‖ proof[n]
 * join      root[32] ‖ 4 × nullifier[32] ‖ u32 units ‖ idc[32] ‖ fee to[20] ‖ u16 n ‖ proof[n]
 *
 * destination  idc[32] ‖ fee to[20] ‖ signature[65]
 * ```
 * @module
 */
import { isAllZero } from '@byway/protocol/base'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import {
  CHAIN_ADDRESS_BYTES,
  FIELD_BYTES,
  readProof,
  TICKET_SIGNATURE_BYTES,
  writeProof,
} from './opening.ts'

/** SPEC §15.8. */
export const RETURN_KIND = { ASK: 0, REFUND: 1, CLOSE: 2, WITHDRAW: 3, JOIN: 4 } as const
export type ReturnKind = (typeof RETURN_KIND)[keyof typeof RETURN_KIND]

/** SPEC §14.6: leaves in one joining. */
export const MAX_JOINED_LEAVES = 4

/** Where the rest of a bound slot goes, signed by its session key (SPEC §14.4). */
export type ReturnDestination = {
  /** The commitment of the leaf to be made, 32 bytes. */
  readonly idc: Uint8Array
  /** Who is paid for sending it, 20 bytes. */
  readonly feeTo: Uint8Array
  /** 65 bytes: for both steps. */
  readonly signature: Uint8Array
}

type Kinds = typeof RETURN_KIND

export type RefundRequest = {
  readonly kind: Kinds['REFUND']
  readonly root: Uint8Array
  readonly nullifier: Uint8Array
  /** The commitment of the leaf to be made, 32 bytes. */
  readonly idc: Uint8Array
  /** Who is paid for sending it, 20 bytes. */
  readonly feeTo: Uint8Array
  /** Of two the later counts. */
  readonly attempt: number
  /** Bound to `idc`, `feeTo` and `attempt`. */
  readonly proof: Uint8Array
}

export type CloseRequest = {
  readonly kind: Kinds['CLOSE']
  readonly nullifier: Uint8Array
  /** To whom the slot is bound, 20 bytes. */
  readonly provider: Uint8Array
  readonly sessionKey: Uint8Array
  readonly destination: ReturnDestination
}

export type WithdrawRequest = {
  readonly kind: Kinds['WITHDRAW']
  readonly root: Uint8Array
  readonly nullifier: Uint8Array
  /** Who receives the money, 20 bytes. */
  readonly to: Uint8Array
  readonly feeTo: Uint8Array
  /** Bound to `to` and `feeTo`. */
  readonly proof: Uint8Array
}

export type JoinRequest = {
  readonly kind: Kinds['JOIN']
  readonly root: Uint8Array
  /** {@link MAX_JOINED_LEAVES}, zeros where a place is not used. */
  readonly rests: readonly Uint8Array[]
  readonly units: number
  readonly idc: Uint8Array
  readonly feeTo: Uint8Array
  readonly proof: Uint8Array
}

/** Whether a hop sends slots back to their owners, before it is told of one. */
export type AskRequest = { readonly kind: Kinds['ASK'] }

/** Narrow on `kind`. Every byte field is a copy. */
export type ReturnMessageBody = AskRequest | ReturnRequest

/** One that names a slot. */
export type ReturnRequest = RefundRequest | CloseRequest | WithdrawRequest | JoinRequest

/** What names a request: of a joining its first rest. */
export function returnNullifier(request: ReturnRequest): Uint8Array {
  if (request.kind !== RETURN_KIND.JOIN) return request.nullifier
  return request.rests.find((rest) => !isAllZero(rest)) ?? new Uint8Array(FIELD_BYTES)
}

/** Who is paid for a request. */
export function returnFeeTo(request: ReturnRequest): Uint8Array {
  return 'destination' in request ? request.destination.feeTo : request.feeTo
}

/** Bytes of a request, its kind included. */
export function returnRequestBytes(request: ReturnMessageBody): number {
  switch (request.kind) {
    case RETURN_KIND.ASK:
      return 1
    case RETURN_KIND.REFUND:
      return REFUND_HEADER_BYTES + request.proof.length
    case RETURN_KIND.CLOSE:
      return 1 + FIELD_BYTES + 2 * CHAIN_ADDRESS_BYTES + DESTINATION_BYTES
    case RETURN_KIND.WITHDRAW:
      return 1 + 2 * FIELD_BYTES + 2 * CHAIN_ADDRESS_BYTES + 2 + request.proof.length
    case RETURN_KIND.JOIN:
      return JOIN_HEADER_BYTES + request.proof.length
  }
}

/** Reads a request in the midst of something longer. @throws WIRE_LENGTH, WIRE_VALUE */
export function readReturnRequest(reader: ByteReader): ReturnMessageBody {
  const kind = reader.u8('returnKind')
  switch (kind) {
    case RETURN_KIND.ASK:
      return { kind }
    case RETURN_KIND.REFUND:
      return {
        kind,
        root: reader.copy(FIELD_BYTES, 'root'),
        nullifier: reader.copy(FIELD_BYTES, 'nullifier'),
        idc: reader.copy(FIELD_BYTES, 'idc'),
        feeTo: reader.copy(CHAIN_ADDRESS_BYTES, 'feeTo'),
        attempt: reader.u32('attempt'),
        proof: readProof(reader),
      }
    case RETURN_KIND.CLOSE:
      return {
        kind,
        nullifier: reader.copy(FIELD_BYTES, 'nullifier'),
        provider: reader.copy(CHAIN_ADDRESS_BYTES, 'provider'),
        sessionKey: reader.copy(CHAIN_ADDRESS_BYTES, 'sessionKey'),
        destination: readDestination(reader),
      }
    case RETURN_KIND.WITHDRAW:
      return {
        kind,
        root: reader.copy(FIELD_BYTES, 'root'),
        nullifier: reader.copy(FIELD_BYTES, 'nullifier'),
        to: reader.copy(CHAIN_ADDRESS_BYTES, 'to'),
        feeTo: reader.copy(CHAIN_ADDRESS_BYTES, 'feeTo'),
        proof: readProof(reader),
      }
    case RETURN_KIND.JOIN:
      return readJoin(reader)
    default:
      throw wireError('WIRE_VALUE', { field: 'returnKind', value: kind })
  }
}

/** Writes a request. @throws WIRE_ENCODE */
export function writeReturnRequest(writer: ByteWriter, request: ReturnMessageBody): void {
  writer.u8(request.kind, 'returnKind')
  switch (request.kind) {
    case RETURN_KIND.ASK:
      break
    case RETURN_KIND.REFUND:
      writer
        .fixed(request.root, FIELD_BYTES, 'root')
        .fixed(request.nullifier, FIELD_BYTES, 'nullifier')
        .fixed(request.idc, FIELD_BYTES, 'idc')
        .fixed(request.feeTo, CHAIN_ADDRESS_BYTES, 'feeTo')
        .u32(request.attempt, 'attempt')
      writeProof(writer, request.proof)
      break
    case RETURN_KIND.CLOSE:
      writer
        .fixed(request.nullifier, FIELD_BYTES, 'nullifier')
        .fixed(request.provider, CHAIN_ADDRESS_BYTES, 'provider')
        .fixed(request.sessionKey, CHAIN_ADDRESS_BYTES, 'sessionKey')
      writeDestination(writer, request.destination)
      break
    case RETURN_KIND.WITHDRAW:
      writer
        .fixed(request.root, FIELD_BYTES, 'root')
        .fixed(request.nullifier, FIELD_BYTES, 'nullifier')
        .fixed(request.to, CHAIN_ADDRESS_BYTES, 'to')
        .fixed(request.feeTo, CHAIN_ADDRESS_BYTES, 'feeTo')
      writeProof(writer, request.proof)
      break
    case RETURN_KIND.JOIN:
      writeJoin(writer, request)
      break
  }
}

function readJoin(reader: ByteReader): JoinRequest {
  return {
    kind: RETURN_KIND.JOIN,
    root: reader.copy(FIELD_BYTES, 'root'),
    rests: Array.from({ length: MAX_JOINED_LEAVES }, () => reader.copy(FIELD_BYTES, 'rest')),
    units: reader.u32('units'),
    idc: reader.copy(FIELD_BYTES, 'idc'),
    feeTo: reader.copy(CHAIN_ADDRESS_BYTES, 'feeTo'),
    proof: readProof(reader),
  }
}

function writeJoin(writer: ByteWriter, request: JoinRequest): void {
  const { root, rests, units, idc, feeTo, proof } = request
  if (rests.length !== MAX_JOINED_LEAVES) throw wireError('WIRE_ENCODE', { field: 'rests' })
  writer.fixed(root, FIELD_BYTES, 'root')
  for (const rest of rests) writer.fixed(rest, FIELD_BYTES, 'rest')
  writer
    .u32(units, 'units')
    .fixed(idc, FIELD_BYTES, 'idc')
    .fixed(feeTo, CHAIN_ADDRESS_BYTES, 'feeTo')
  writeProof(writer, proof)
}

function readDestination(reader: ByteReader): ReturnDestination {
  return {
    idc: reader.copy(FIELD_BYTES, 'idc'),
    feeTo: reader.copy(CHAIN_ADDRESS_BYTES, 'feeTo'),
    signature: reader.copy(TICKET_SIGNATURE_BYTES, 'signature'),
  }
}

function writeDestination(writer: ByteWriter, { idc, feeTo, signature }: ReturnDestination): void {
  writer
    .fixed(idc, FIELD_BYTES, 'idc')
    .fixed(feeTo, CHAIN_ADDRESS_BYTES, 'feeTo')
    .fixed(signature, TICKET_SIGNATURE_BYTES, 'signature')
}

const DESTINATION_BYTES = FIELD_BYTES + CHAIN_ADDRESS_BYTES + TICKET_SIGNATURE_BYTES
const REFUND_HEADER_BYTES = 1 + 3 * FIELD_BYTES + CHAIN_ADDRESS_BYTES + 4 + 2
const JOIN_HEADER_BYTES =
  1 + FIELD_BYTES + MAX_JOINED_LEAVES * FIELD_BYTES + 4 + FIELD_BYTES + CHAIN_ADDRESS_BYTES + 2
