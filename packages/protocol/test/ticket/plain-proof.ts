/**
 * The plain proof: stands for slot proofs in tests of contracts and openings, and shows the payer to everyone. No program knows it.
 *
 * ```text
 * offset size field
 *      0   65 the owner's signature
 *     65    4 limit
 *     69    4 j, the slot
 *     73    4 path bits
 *     77    1 d
 *     78 32·d siblings, the lowest first
 * ```
 * @module
 */
import { TICKET_SIGNATURE_BYTES } from '@byway/protocol/wire'
import { ByteReader } from '../../src/wire/byte-reader.ts'
import { ByteWriter } from '../../src/wire/byte-writer.ts'
import { wireError } from '../../src/wire/errors.ts'
import { FIELD_BYTES } from '../../src/wire/opening.ts'

/** SPEC §14.1: a tree holds 2^26 leaves. */
const MAX_TREE_DEPTH = 26

/** A decoded plain proof; every byte field is a copy. */
export type PlainProof = {
  /** {@link TICKET_SIGNATURE_BYTES}, not checked here. */
  readonly signature: Uint8Array
  /** Bond units of the deposit's leaf. */
  readonly limit: number
  /** Which slot of the leaf. */
  readonly slot: number
  /** Bit i is 1 where the sibling at step i is on the left; none above the siblings. */
  readonly pathBits: number
  /** u256 each, the lowest first. */
  readonly siblings: readonly Uint8Array[]
}

/** Decodes a plain proof; nothing may follow it. @throws WIRE_LENGTH, WIRE_VALUE */
export function decodePlainProof(bytes: Uint8Array): PlainProof {
  const reader = new ByteReader(bytes)
  const signature = reader.copy(TICKET_SIGNATURE_BYTES, 'signature')
  const limit = reader.u32('limit')
  const slot = reader.u32('slot')
  const pathBits = reader.u32('pathBits')
  const depth = reader.u8('siblings')
  if (depth > MAX_TREE_DEPTH) throw wireError('WIRE_VALUE', { field: 'siblings', value: depth })
  if (!isPath(pathBits, depth)) {
    throw wireError('WIRE_VALUE', { field: 'pathBits', value: pathBits })
  }
  const siblings = Array.from({ length: depth }, () => reader.copy(FIELD_BYTES, 'sibling'))
  reader.end('plainProof')
  return { signature, limit, slot, pathBits, siblings }
}

/** Encodes a plain proof. @throws WIRE_ENCODE */
export function encodePlainProof(proof: PlainProof): Uint8Array {
  const { siblings, pathBits } = proof
  if (siblings.length > MAX_TREE_DEPTH) throw wireError('WIRE_ENCODE', { field: 'siblings' })
  if (!isPath(pathBits, siblings.length)) throw wireError('WIRE_ENCODE', { field: 'pathBits' })
  const writer = new ByteWriter(new Uint8Array(HEADER_BYTES + FIELD_BYTES * siblings.length))
  writer
    .fixed(proof.signature, TICKET_SIGNATURE_BYTES, 'signature')
    .u32(proof.limit, 'limit')
    .u32(proof.slot, 'slot')
    .u32(pathBits, 'pathBits')
    .u8(siblings.length, 'siblings')
  for (const sibling of siblings) writer.fixed(sibling, FIELD_BYTES, 'sibling')
  return writer.done()
}

function isPath(pathBits: number, depth: number): boolean {
  return pathBits < 2 ** depth
}

const HEADER_BYTES = 78
