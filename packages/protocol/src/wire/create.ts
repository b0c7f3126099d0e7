/**
 * CREATE: its body and the payload of the handshake's message 1 (SPEC §5.2, §5.3). Byte ranges only: mac1 and the
 * handshake are computed elsewhere.
 *
 * ```text
 * body, 4087                          payload
 * offset size field                   offset size field
 *      0    2 n                            0    1 version, 1
 *      2   16 mac1 over 18..27+n           1    1 suites offered
 *     18    8 onion key id                 2    1 flags
 *     26    1 position                     3    2 deadlineMs
 *     27    n message 1                    5    1 0 last hop, 1 extend
 *   27+n      zeros                        6   32 node id         (extend only, from here)
 *                                         38    8 onion key id
 *                                         46    2 m
 *                                         48    m message 1
 * ```
 * @module
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import { requireVersion, WIRE_VERSION } from './text.ts'

/** Bytes of the body of a CREATE or CREATED cell: class 1 (SPEC §4.1). */
export const CREATE_BODY_BYTES = 4087
/** SPEC §5.1: message 1 is this much longer than its payload. */
export const MESSAGE_1_OVERHEAD_BYTES = 1248
/** SPEC §2: the onion key id is the first 8 bytes of a hash. */
export const ONION_KEY_ID_BYTES = 8
/** SPEC §5.2: the first 16 bytes of the HMAC. */
export const MAC1_BYTES = 16
/** SPEC §5.3: a last hop's payload is exactly this long. */
export const LAST_HOP_PAYLOAD_BYTES = 6

/** SPEC §5.2. */
export type Position = 1 | 2 | 3

/** SPEC §5.3, bits of "suites offered". */
export const SUITE_OFFER = { AES_256_GCM: 1, CHACHA20_POLY1305: 2 } as const

/** All fields are views into the body. */
export type Create = {
  readonly mac1: Uint8Array
  /** What mac1 covers: bytes 18..27+n. */
  readonly macInput: Uint8Array
  readonly onionKeyId: Uint8Array
  readonly position: Position
  readonly message1: Uint8Array
}

/** Where to go on to; SPEC §5.3. */
export type Extend = {
  readonly nodeId: Uint8Array
  readonly onionKeyId: Uint8Array
  readonly message1: Uint8Array
}

/** SPEC §5.3. */
export type CreatePayload = {
  /** Bits of {@link SUITE_OFFER}; ChaCha20-Poly1305 is always among them. */
  readonly suites: number
  readonly entryLayer: boolean
  /** How long this hop may take to answer; a hop caps it itself. */
  readonly deadlineMs: number
  /** Undefined for the last hop. */
  readonly extend: Extend | undefined
}

/** Decodes the body of CREATE; mac1 is to be checked before anything else of it. @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeCreate(body: Uint8Array): Create {
  const reader = new ByteReader(body)
  const n = reader.u16('message1Bytes')
  requireMessage1Bytes(n)
  const mac1 = reader.view(MAC1_BYTES, 'mac1')
  const onionKeyId = reader.view(ONION_KEY_ID_BYTES, 'onionKeyId')
  const position = reader.u8('position')
  if (!isPosition(position)) throw wireError('WIRE_VALUE', { field: 'position', value: position })
  const message1 = reader.view(n, 'message1')
  return { mac1, macInput: macInputOf(body, n), onionKeyId, position, message1 }
}

/**
 * Writes the body of CREATE, padding included, with zeros for mac1; returns the views that mac1 is made from
 * (`macInput`) and must be written to (`mac1`).
 *
 * @param body - {@link CREATE_BODY_BYTES} bytes
 * @throws WIRE_ENCODE
 */
export function writeCreate(
  body: Uint8Array,
  create: Pick<Create, 'onionKeyId' | 'position' | 'message1'>,
): { readonly mac1: Uint8Array; readonly macInput: Uint8Array } {
  if (body.length !== CREATE_BODY_BYTES) throw wireError('WIRE_ENCODE', { field: 'body' })
  const n = create.message1.length
  body.fill(0)
  new ByteWriter(body)
    .u16(n, 'message1Bytes')
    .raw(NO_MAC, 'mac1')
    .fixed(create.onionKeyId, ONION_KEY_ID_BYTES, 'onionKeyId')
    .u8(create.position, 'position')
    .raw(create.message1, 'message1')
  return { mac1: body.subarray(2, 2 + MAC1_BYTES), macInput: macInputOf(body, n) }
}

/** Decodes the payload of message 1; views into it. @throws WIRE_VERSION, WIRE_LENGTH, WIRE_VALUE */
export function decodeCreatePayload(payload: Uint8Array): CreatePayload {
  const reader = new ByteReader(payload)
  requireVersion(reader.u8('version'))
  const suites = reader.u8('suites')
  // SPEC §5.3: bit 1 MUST be set.
  if ((suites & SUITE_OFFER.CHACHA20_POLY1305) === 0) {
    throw wireError('WIRE_VALUE', { field: 'suites', value: suites })
  }
  const flags = reader.u8('flags')
  if (flags > ENTRY_LAYER_FLAG) throw wireError('WIRE_VALUE', { field: 'flags', value: flags })
  const deadlineMs = reader.u16('deadlineMs')
  const extend = readExtend(reader)
  reader.end('createPayload')
  return { suites, entryLayer: flags === ENTRY_LAYER_FLAG, deadlineMs, extend }
}

/** Encodes the payload of message 1. @throws WIRE_ENCODE */
export function encodeCreatePayload(payload: CreatePayload): Uint8Array {
  const { suites, entryLayer, deadlineMs, extend } = payload
  if ((suites & SUITE_OFFER.CHACHA20_POLY1305) === 0) {
    throw wireError('WIRE_ENCODE', { field: 'suites' })
  }
  const bytes = extend ? EXTEND_HEADER_BYTES + extend.message1.length : LAST_HOP_PAYLOAD_BYTES
  const writer = new ByteWriter(new Uint8Array(bytes))
    .u8(WIRE_VERSION, 'version')
    .u8(suites, 'suites')
    .u8(entryLayer ? ENTRY_LAYER_FLAG : 0, 'flags')
    .u16(deadlineMs, 'deadlineMs')
    .u8(extend ? 1 : 0, 'extend')
  if (extend) {
    writer
      .fixed(extend.nodeId, 32, 'nodeId')
      .fixed(extend.onionKeyId, ONION_KEY_ID_BYTES, 'onionKeyId')
      .u16(extend.message1.length, 'message1Bytes')
      .raw(extend.message1, 'message1')
  }
  return writer.done()
}

function readExtend(reader: ByteReader): Extend | undefined {
  const extend = reader.u8('extend')
  if (extend === 0) return undefined
  if (extend !== 1) throw wireError('WIRE_VALUE', { field: 'extend', value: extend })
  const nodeId = reader.view(32, 'nodeId')
  const onionKeyId = reader.view(ONION_KEY_ID_BYTES, 'onionKeyId')
  const m = reader.u16('message1Bytes')
  requireMessage1Bytes(m)
  return { nodeId, onionKeyId, message1: reader.view(m, 'message1') }
}

/** No message 1 is shorter than that of a last hop; how long it may be is what its space holds. */
function requireMessage1Bytes(n: number): void {
  if (n < MIN_MESSAGE_1_BYTES) {
    throw wireError('WIRE_LENGTH', { field: 'message1', want: MIN_MESSAGE_1_BYTES, have: n })
  }
}

function macInputOf(body: Uint8Array, n: number): Uint8Array {
  return body.subarray(2 + MAC1_BYTES, CREATE_HEADER_BYTES + n)
}

function isPosition(byte: number): byte is Position {
  return byte >= 1 && byte <= 3
}

const CREATE_HEADER_BYTES = 27
const EXTEND_HEADER_BYTES = 48
const ENTRY_LAYER_FLAG = 1
const MIN_MESSAGE_1_BYTES = MESSAGE_1_OVERHEAD_BYTES + LAST_HOP_PAYLOAD_BYTES
const NO_MAC = new Uint8Array(MAC1_BYTES)
