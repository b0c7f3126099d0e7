/** What a RECORD carries (SPEC §10.6), and how long that may be. @module */
import type { ByteReader } from './byte-reader.ts'
import { wireError } from './errors.ts'
import { EXIT_ENTRY_BYTES, EXIT_HEAD_BYTES, MAX_EXIT_PROOF_BYTES } from './exit-record.ts'

/** SPEC §10.6: nothing at the end of an answer, a proof, or heads. */
export const RECORD_PART = { END: 0, PROOF: 1, HEADS: 2 } as const
export type RecordPart = (typeof RECORD_PART)[keyof typeof RECORD_PART]

/** Bytes of RECORD before its body. */
export const RECORD_HEADER_BYTES = 3

/** Reads `u8 part ‖ body`; the body is a view. @throws WIRE_VALUE, WIRE_LENGTH */
export function readRecordPart(reader: ByteReader): { part: RecordPart; body: Uint8Array } {
  const value = reader.u8('part')
  const part = Object.values(RECORD_PART).find((each) => each === value)
  if (part === undefined) throw wireError('WIRE_VALUE', { field: 'part', value })
  const have = reader.left
  if (!isRecordBody(part, have))
    throw wireError('WIRE_LENGTH', { field: 'record', want: MAX_EXIT_PROOF_BYTES, have })
  return { part, body: reader.rest() }
}

/** True for a body's length that a part may have. */
export function isRecordBody(part: RecordPart, bytes: number): boolean {
  if (part === RECORD_PART.END) return bytes === 0
  if (part === RECORD_PART.PROOF) return bytes > EXIT_ENTRY_BYTES && bytes <= MAX_EXIT_PROOF_BYTES
  return bytes > 0 && bytes % EXIT_HEAD_BYTES === 0
}
