/**
 * CREATED: its body and the payload of the handshake's message 2 (SPEC §5.4). Byte ranges only.
 *
 * ```text
 * body, 4087                                payload
 * offset size field                         offset size field
 *      0    1 0, or a close reason               0    1 version, 1
 *      1    2 n                                  1    1 suite chosen
 *      3    n message 2, or with STALE_KEY       2    1 outcome
 *             the hop's descriptor               3    2 m
 *    3+n      zeros                              5    m next message 2, or a descriptor
 *                                              5+m    6 with a next message 2: country ‖ ASN
 * ```
 * @module
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { CREATE_BODY_BYTES } from './create.ts'
import {
  countryBytes,
  MAX_DESCRIPTOR_BYTES,
  MIN_DESCRIPTOR_BYTES,
  readCountry,
} from './descriptor.ts'
import { wireError } from './errors.ts'
import { CLOSE_REASON, type CloseReason, parseCloseReason } from './reasons.ts'
import { requireVersion, WIRE_VERSION } from './text.ts'

/** SPEC §5.1: message 2 is this much longer than its payload. */
export const MESSAGE_2_OVERHEAD_BYTES = 1152

/** SPEC §5.4, "suite chosen". */
export const SUITE = { AES_256_GCM: 0, CHACHA20_POLY1305: 1 } as const
export type Suite = (typeof SUITE)[keyof typeof SUITE]

/** A hop that did not go on; `descriptor` (not parsed) is there with STALE_KEY and only then. */
export type CreateFailure = {
  readonly result: 'failed'
  readonly reason: CloseReason
  readonly descriptor: Uint8Array | undefined
}

/** The body of CREATED. Byte fields are views. */
export type Created = { readonly result: 'answered'; readonly message2: Uint8Array } | CreateFailure

/** Where a hop sees the next one, by its own tables; '' and 0 where it says nothing. */
export type SeenPlace = { readonly country: string; readonly asn: number }

/** What became of the circuit behind a hop (SPEC §5.4, "outcome"). Byte fields are views. */
export type CreateOutcome =
  | { readonly result: 'ready' }
  | { readonly result: 'extended'; readonly message2: Uint8Array; readonly seen: SeenPlace }
  | CreateFailure

/** The payload of message 2. */
export type CreatedPayload = { readonly suite: Suite; readonly outcome: CreateOutcome }

/** Decodes the body of CREATED. @throws WIRE_LENGTH */
export function decodeCreated(body: Uint8Array): Created {
  const reader = new ByteReader(body)
  const status = reader.u8('status')
  const bytes = reader.view(reader.u16('answerBytes'), 'answer')
  if (status !== 0) return toFailure(status, bytes)
  requireMessage2(bytes)
  return { result: 'answered', message2: bytes }
}

/**
 * Writes the body of CREATED, padding included.
 *
 * @param body - {@link CREATE_BODY_BYTES} bytes
 * @throws WIRE_ENCODE
 */
export function writeCreated(body: Uint8Array, created: Created): void {
  if (body.length !== CREATE_BODY_BYTES) throw wireError('WIRE_ENCODE', { field: 'body' })
  const isAnswer = created.result === 'answered'
  const content = isAnswer ? created.message2 : contentOfFailure(created)
  body.fill(0)
  new ByteWriter(body)
    .u8(isAnswer ? 0 : created.reason, 'status')
    .u16(content.length, 'answerBytes')
    .raw(content, 'answer')
}

/** Decodes the payload of message 2. @throws WIRE_VERSION, WIRE_LENGTH, WIRE_VALUE */
export function decodeCreatedPayload(payload: Uint8Array): CreatedPayload {
  const reader = new ByteReader(payload)
  requireVersion(reader.u8('version'))
  const suite = reader.u8('suite')
  if (!isSuite(suite)) throw wireError('WIRE_VALUE', { field: 'suite', value: suite })
  const outcome = reader.u8('outcome')
  const bytes = reader.view(reader.u16('outcomeBytes'), 'outcome')
  if (outcome !== OUTCOME_EXTENDED) {
    reader.end('createdPayload')
    return { suite, outcome: toEnd(outcome, bytes) }
  }
  requireMessage2(bytes)
  const seen = { country: readCountry(reader), asn: reader.u32('asn') }
  reader.end('createdPayload')
  return { suite, outcome: { result: 'extended', message2: bytes, seen } }
}

/** Encodes the payload of message 2. @throws WIRE_ENCODE */
export function encodeCreatedPayload({ suite, outcome }: CreatedPayload): Uint8Array {
  const content = contentOf(outcome)
  const seen = outcome.result === 'extended' ? outcome.seen : undefined
  const bytes = PAYLOAD_HEADER_BYTES + content.length + (seen ? SEEN_PLACE_BYTES : 0)
  const writer = new ByteWriter(new Uint8Array(bytes))
    .u8(WIRE_VERSION, 'version')
    .u8(suite, 'suite')
    .u8(outcomeByte(outcome), 'outcome')
    .u16(content.length, 'outcomeBytes')
    .raw(content, 'outcome')
  if (seen) writer.raw(countryBytes(seen.country), 'country').u32(seen.asn, 'asn')
  return writer.done()
}

function toEnd(byte: number, bytes: Uint8Array): CreateOutcome {
  if (byte !== OUTCOME_READY) return toFailure(byte, bytes)
  requireEmpty(bytes)
  return { result: 'ready' }
}

function toFailure(byte: number, bytes: Uint8Array): CreateFailure {
  const reason = parseCloseReason(byte)
  if (reason !== CLOSE_REASON.STALE_KEY) {
    requireEmpty(bytes)
    return { result: 'failed', reason, descriptor: undefined }
  }
  if (bytes.length < MIN_DESCRIPTOR_BYTES || bytes.length > MAX_DESCRIPTOR_BYTES) {
    const want = MAX_DESCRIPTOR_BYTES
    throw wireError('WIRE_LENGTH', { field: 'descriptor', want, have: bytes.length })
  }
  return { result: 'failed', reason, descriptor: bytes }
}

function outcomeByte(outcome: CreateOutcome): number {
  if (outcome.result === 'ready') return OUTCOME_READY
  return outcome.result === 'extended' ? OUTCOME_EXTENDED : outcome.reason
}

function contentOf(outcome: CreateOutcome): Uint8Array {
  if (outcome.result === 'ready') return NOTHING
  return outcome.result === 'extended' ? outcome.message2 : contentOfFailure(outcome)
}

function contentOfFailure({ reason, descriptor }: CreateFailure): Uint8Array {
  const isStale = reason === CLOSE_REASON.STALE_KEY
  if (isStale !== (descriptor !== undefined))
    throw wireError('WIRE_ENCODE', { field: 'descriptor' })
  return descriptor ?? NOTHING
}

function requireMessage2({ length }: Uint8Array): void {
  if (length < MIN_MESSAGE_2_BYTES) {
    throw wireError('WIRE_LENGTH', { field: 'message2', want: MIN_MESSAGE_2_BYTES, have: length })
  }
}

function requireEmpty({ length }: Uint8Array): void {
  if (length !== 0) throw wireError('WIRE_LENGTH', { field: 'outcome', want: 0, have: length })
}

function isSuite(byte: number): byte is Suite {
  return byte <= SUITE.CHACHA20_POLY1305
}

const OUTCOME_READY = 0
const OUTCOME_EXTENDED = 1
const PAYLOAD_HEADER_BYTES = 5
/** SPEC §5.4: country and ASN after a next message 2. */
export const SEEN_PLACE_BYTES = 6
const MIN_MESSAGE_2_BYTES = MESSAGE_2_OVERHEAD_BYTES + PAYLOAD_HEADER_BYTES
const NOTHING = new Uint8Array(0)
