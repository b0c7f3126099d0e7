/**
 * The parts of an exit record (SPEC §10.6): what a page says of one exit, the signed head of a page, and the proof that the one is on the other.
 * Judging them is the directory folder's.
 *
 * ```text
 * entry  u8 version, 1 ‖ node id[32] ‖ address name[32] ‖ u64 from ‖ u64 until ‖ u64 number of the first edition ‖ H(first edition)[32]
 * head   u8 version, 1 ‖ witness[32] ‖ u32 page ‖ u64 closed ‖ u32 entries ‖ root[32] ‖ H(head before)[32] ‖ signature[64]
 * proof  entry ‖ u16 bytes ‖ first edition ‖ u16 bytes ‖ last edition ‖ u8 on a page (0, 1)
 *        and then, on a page: head ‖ u32 place ‖ u8 n ‖ n × 32
 * ```
 * @module
 */
import { concatBytes } from '@byway/protocol/base'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { MAX_DESCRIPTOR_BYTES } from './descriptor.ts'
import { wireError } from './errors.ts'
import { requireVersion, WIRE_VERSION } from './text.ts'

/** SPEC §10.6. */
export const EXIT_ENTRY_BYTES = 121
/** SPEC §10.6, the signature included. */
export const EXIT_HEAD_BYTES = 177
/** Steps of a proof: more entries than 2^32 do not fit a head. */
export const MAX_EXIT_PATH = 32
/** The longest proof: two editions and a path. */
export const MAX_EXIT_PROOF_BYTES: number =
  EXIT_ENTRY_BYTES + 2 * (2 + MAX_DESCRIPTOR_BYTES) + 1 + EXIT_HEAD_BYTES + 5 + 32 * MAX_EXIT_PATH

/** What a page says of an exit under one address. */
export type ExitEntry = {
  readonly nodeId: Uint8Array
  /** `H("byway exit address v1" ‖ salt ‖ family ‖ address)`, 32 bytes. */
  readonly name: Uint8Array
  /** By the witness's clock, seconds. */
  readonly fromS: number
  readonly untilS: number
  /** The number of the edition with which it began. */
  readonly sequence: number
  /** Of that edition's bytes. */
  readonly editionHash: Uint8Array
}

/** The head of a page. */
export type ExitHead = {
  /** The node id of who signs. */
  readonly witness: Uint8Array
  /** Its time over the length of a page; rises. */
  readonly page: number
  readonly closedS: number
  readonly entries: number
  readonly root: Uint8Array
  /** Hash of the head before; zeros where the record begins. */
  readonly previous: Uint8Array
}

/** An entry with what proves it. Each byte field is a copy. */
export type ExitProof = {
  readonly entry: Uint8Array
  readonly first: Uint8Array
  /** Empty when it is the first. */
  readonly last: Uint8Array
  /** Undefined while the page of the moment is not closed. */
  readonly page: ExitPlace | undefined
}

/** Where an entry stands on a page. */
export type ExitPlace = {
  readonly head: Uint8Array
  readonly place: number
  /** n × 32 bytes. */
  readonly path: Uint8Array
}

export function encodeExitEntry(entry: ExitEntry): Uint8Array {
  return new ByteWriter(new Uint8Array(EXIT_ENTRY_BYTES))
    .u8(WIRE_VERSION, 'version')
    .fixed(entry.nodeId, 32, 'nodeId')
    .fixed(entry.name, 32, 'name')
    .u64(entry.fromS, 'from')
    .u64(entry.untilS, 'until')
    .u64(entry.sequence, 'sequence')
    .fixed(entry.editionHash, 32, 'editionHash')
    .done()
}

/** @throws WIRE_VERSION, WIRE_LENGTH, WIRE_VALUE */
export function decodeExitEntry(bytes: Uint8Array): ExitEntry {
  const reader = new ByteReader(bytes)
  requireVersion(reader.u8('version'))
  const entry = {
    nodeId: reader.copy(32, 'nodeId'),
    name: reader.copy(32, 'name'),
    fromS: reader.u64('from'),
    untilS: reader.u64('until'),
    sequence: reader.u64('sequence'),
    editionHash: reader.copy(32, 'editionHash'),
  }
  reader.end('exitEntry')
  if (entry.untilS < entry.fromS)
    throw wireError('WIRE_VALUE', { field: 'until', value: entry.untilS })
  return entry
}

/** What the witness signs of a head. @throws WIRE_ENCODE */
export function encodeUnsignedExitHead(head: ExitHead): Uint8Array {
  return new ByteWriter(new Uint8Array(EXIT_HEAD_BYTES - SIGNATURE_BYTES))
    .u8(WIRE_VERSION, 'version')
    .fixed(head.witness, 32, 'witness')
    .u32(head.page, 'page')
    .u64(head.closedS, 'closed')
    .u32(head.entries, 'entries')
    .fixed(head.root, 32, 'root')
    .fixed(head.previous, 32, 'previous')
    .done()
}

/** @throws WIRE_VERSION, WIRE_LENGTH, WIRE_VALUE */
export function decodeExitHead(bytes: Uint8Array): {
  readonly head: ExitHead
  readonly signature: Uint8Array
} {
  const reader = new ByteReader(bytes)
  requireVersion(reader.u8('version'))
  const head = {
    witness: reader.copy(32, 'witness'),
    page: reader.u32('page'),
    closedS: reader.u64('closed'),
    entries: reader.u32('entries'),
    root: reader.copy(32, 'root'),
    previous: reader.copy(32, 'previous'),
  }
  const signature = reader.copy(SIGNATURE_BYTES, 'signature')
  reader.end('exitHead')
  return { head, signature }
}

/** The part of a head that is signed. */
export function unsignedHeadOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, EXIT_HEAD_BYTES - SIGNATURE_BYTES)
}

/** @throws WIRE_ENCODE */
export function encodeExitProof({ entry, first, last, page }: ExitProof): Uint8Array {
  const steps = page ? page.path.length / 32 : 0
  const size = EXIT_ENTRY_BYTES + 4 + first.length + last.length + 1
  const placeBytes = page ? EXIT_HEAD_BYTES + 5 + page.path.length : 0
  const writer = new ByteWriter(new Uint8Array(size + placeBytes))
    .fixed(entry, EXIT_ENTRY_BYTES, 'entry')
    .u16(first.length, 'first')
    .raw(first, 'first')
    .u16(last.length, 'last')
    .raw(last, 'last')
    .u8(page ? 1 : 0, 'page')
  if (page) {
    writer.fixed(page.head, EXIT_HEAD_BYTES, 'head').u32(page.place, 'place').u8(steps, 'path')
    writer.fixed(page.path, 32 * steps, 'path')
  }
  return writer.done()
}

/** @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeExitProof(bytes: Uint8Array): ExitProof {
  const reader = new ByteReader(bytes)
  const entry = reader.copy(EXIT_ENTRY_BYTES, 'entry')
  const first = readEdition(reader, 'first')
  const last = readEdition(reader, 'last')
  const isOnPage = reader.u8('page')
  if (isOnPage > 1) throw wireError('WIRE_VALUE', { field: 'page', value: isOnPage })
  const page = isOnPage === 1 ? readPlace(reader) : undefined
  reader.end('exitProof')
  return { entry, first, last, page }
}

/** Heads one after another, as a RECORD message has them. */
export function joinExitHeads(heads: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...heads)
}

/** Copies of each. @throws WIRE_LENGTH for bytes that are no whole number of heads, or none */
export function splitExitHeads(bytes: Uint8Array): readonly Uint8Array[] {
  const reader = new ByteReader(bytes)
  const heads: Uint8Array[] = []
  do heads.push(reader.copy(EXIT_HEAD_BYTES, 'head'))
  while (reader.left > 0)
  return heads
}

function readEdition(reader: ByteReader, field: string): Uint8Array {
  const count = reader.u16(field)
  if (count > MAX_DESCRIPTOR_BYTES) throw wireError('WIRE_VALUE', { field, value: count })
  return reader.copy(count, field)
}

function readPlace(reader: ByteReader): ExitPlace {
  const head = reader.copy(EXIT_HEAD_BYTES, 'head')
  const place = reader.u32('place')
  const steps = reader.u8('path')
  if (steps > MAX_EXIT_PATH) throw wireError('WIRE_VALUE', { field: 'path', value: steps })
  return { head, place, path: reader.copy(32 * steps, 'path') }
}

const SIGNATURE_BYTES = 64
