/**
 * Steps of a service proof as a provider without coin leaves them with a redeemer (SPEC §15.7): one an order.
 *
 * ```text
 * commit u32 epoch ‖ root[32] ‖ u64 total ‖ u64 most units of a slot
 * answer u32 epoch ‖ 12 openings ‖ u16 n ‖ proof[n]
 * settle u32 epoch
 * ```
 * @module
 */
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import {
  FIELD_BYTES,
  openingBytes,
  readOpening,
  readProof,
  writeOpening,
  writeProof,
  type Opening,
} from './opening.ts'

/** SPEC §15.7. */
export const PROOF_ORDER_KIND = { COMMIT: 4, ANSWER: 5, SETTLE: 6 } as const

/** Slots that one proof samples (SPEC §17.3). */
const AUDIT_SAMPLES = 12

/** One step. */
export type ProofEntries =
  | {
      readonly kind: (typeof PROOF_ORDER_KIND)['COMMIT']
      readonly epoch: number
      /** Of the sum tree (SPEC §17.2), 32 bytes. */
      readonly root: Uint8Array
      readonly total: number
      readonly maxUnits: number
    }
  | {
      readonly kind: (typeof PROOF_ORDER_KIND)['ANSWER']
      readonly epoch: number
      /** Of the twelve samples, in their order. */
      readonly openings: readonly Opening[]
      /** At most 2048 bytes. */
      readonly proof: Uint8Array
    }
  | { readonly kind: (typeof PROOF_ORDER_KIND)['SETTLE']; readonly epoch: number }

/** Bytes of a step. */
export function proofEntriesBytes(entries: ProofEntries): number {
  switch (entries.kind) {
    case PROOF_ORDER_KIND.COMMIT:
      return 4 + FIELD_BYTES + 8 + 8
    case PROOF_ORDER_KIND.ANSWER:
      return entries.openings.reduce(
        (sum, each) => sum + openingBytes(each),
        4 + 2 + entries.proof.length,
      )
    case PROOF_ORDER_KIND.SETTLE:
      return 4
  }
}

/** Writes a step. @throws WIRE_ENCODE */
export function writeProofEntries(writer: ByteWriter, entries: ProofEntries): void {
  writer.u32(entries.epoch, 'epoch')
  switch (entries.kind) {
    case PROOF_ORDER_KIND.COMMIT:
      writer.fixed(entries.root, FIELD_BYTES, 'root')
      writer.u64(entries.total, 'total').u64(entries.maxUnits, 'maxUnits')
      break
    case PROOF_ORDER_KIND.ANSWER:
      if (entries.openings.length !== AUDIT_SAMPLES)
        throw wireError('WIRE_ENCODE', { field: 'openings' })
      for (const opening of entries.openings) writeOpening(writer, opening)
      writeProof(writer, entries.proof)
      break
    case PROOF_ORDER_KIND.SETTLE:
      break
  }
}

/** Reads a step of this kind. @throws WIRE_LENGTH, WIRE_VALUE */
export function readProofEntries(reader: ByteReader, kind: ProofEntries['kind']): ProofEntries {
  const epoch = reader.u32('epoch')
  switch (kind) {
    case PROOF_ORDER_KIND.COMMIT: {
      const root = reader.copy(FIELD_BYTES, 'root')
      return { kind, epoch, root, total: reader.u64('total'), maxUnits: reader.u64('maxUnits') }
    }
    case PROOF_ORDER_KIND.ANSWER: {
      const openings = Array.from({ length: AUDIT_SAMPLES }, () => readOpening(reader))
      return { kind, epoch, openings, proof: readProof(reader) }
    }
    case PROOF_ORDER_KIND.SETTLE:
      return { kind, epoch }
  }
}
