/**
 * Openings: what a client shows of a slot (SPEC §13.2). Whether one holds is judged by the ticket folder and by the chain.
 *
 * ```text
 * offset size field
 *      0   32 root
 *     32   32 nullifier
 *     64   20 session key: an address
 *     84   32 receipt key, or zeros
 *    116    2 n
 *    118    n proof
 * ```
 * @module
 */
import { isAllZero } from '@byway/protocol/base'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'

/** SPEC §13.2: "proof, at most 2048 bytes". */
export const MAX_PROOF_BYTES = 2048
/** Bytes of an opening without its proof. */
export const OPENING_HEADER_BYTES = 118
/** Bytes of an address of the chain: a session key, a provider, an owner. */
export const CHAIN_ADDRESS_BYTES = 20
/** Bytes of a field element as it travels: a u256. */
export const FIELD_BYTES = 32
/** A signature in the one form of SPEC §13.4: r ‖ s ‖ v. */
export const TICKET_SIGNATURE_BYTES = 65

/** A decoded opening; every byte field is a copy. */
export type Opening = {
  /** u256 below the field's order, which the ticket folder checks. */
  readonly root: Uint8Array
  /** u256 below the field's order, which the ticket folder checks. */
  readonly nullifier: Uint8Array
  /** The address of the client's fresh secp256k1 key, {@link CHAIN_ADDRESS_BYTES}. */
  readonly sessionKey: Uint8Array
  /** 32 bytes: what the slot's receipts are signed with (SPEC §17.1), or zeros. The proof is bound to it. */
  readonly receiptKey: Uint8Array
  readonly proof: Uint8Array
}

/** Decodes an opening; nothing may follow it. @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeOpening(bytes: Uint8Array): Opening {
  const reader = new ByteReader(bytes)
  const opening = readOpening(reader)
  reader.end('opening')
  return opening
}

/** Encodes an opening. @throws WIRE_ENCODE */
export function encodeOpening(opening: Opening): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(openingBytes(opening)))
  writeOpening(writer, opening)
  return writer.done()
}

/** Returns the bytes that {@link encodeOpening} makes. */
export function openingBytes({ proof }: Opening): number {
  return OPENING_HEADER_BYTES + proof.length
}

/** Reads an opening in the midst of something longer. @throws WIRE_LENGTH, WIRE_VALUE */
export function readOpening(reader: ByteReader): Opening {
  return {
    root: reader.copy(FIELD_BYTES, 'root'),
    nullifier: reader.copy(FIELD_BYTES, 'nullifier'),
    sessionKey: readSessionKey(reader),
    receiptKey: reader.copy(32, 'receiptKey'),
    proof: readProof(reader),
  }
}

/** Writes an opening. @throws WIRE_ENCODE */
export function writeOpening(writer: ByteWriter, opening: Opening): ByteWriter {
  if (isAllZero(opening.sessionKey)) throw wireError('WIRE_ENCODE', { field: 'sessionKey' })
  writer
    .fixed(opening.root, FIELD_BYTES, 'root')
    .fixed(opening.nullifier, FIELD_BYTES, 'nullifier')
    .fixed(opening.sessionKey, CHAIN_ADDRESS_BYTES, 'sessionKey')
    .fixed(opening.receiptKey, 32, 'receiptKey')
  return writeProof(writer, opening.proof)
}

/** Writes `u16 n ‖ proof`. @throws WIRE_ENCODE */
export function writeProof(writer: ByteWriter, proof: Uint8Array): ByteWriter {
  if (proof.length > MAX_PROOF_BYTES) throw wireError('WIRE_ENCODE', { field: 'proof' })
  return writer.u16(proof.length, 'proofBytes').raw(proof, 'proof')
}

/** SPEC §13.2: zeros are nobody's, and what a failed recovery gives on the chain. */
function readSessionKey(reader: ByteReader): Uint8Array {
  const key = reader.copy(CHAIN_ADDRESS_BYTES, 'sessionKey')
  if (isAllZero(key)) throw wireError('WIRE_VALUE', { field: 'sessionKey', value: 0 })
  return key
}

/** Reads `u16 n ‖ proof`. @throws WIRE_LENGTH */
export function readProof(reader: ByteReader): Uint8Array {
  const bytes = reader.u16('proofBytes')
  if (bytes > MAX_PROOF_BYTES) {
    throw wireError('WIRE_LENGTH', { field: 'proof', want: MAX_PROOF_BYTES, have: bytes })
  }
  return reader.copy(bytes, 'proof')
}
