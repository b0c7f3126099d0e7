/**
 * Link greetings and the proof of identity in a node's (SPEC §3.3). Byte ranges and what is signed; the tags of signatures,
 * signing, checking and comparing the dates with the clock are elsewhere.
 *
 * ```text
 * offset size field
 *      0    1 version, 1
 *      1    1 role: 0 client (and nothing more), 1 node
 *      2   32 node id
 *     34   32 link key
 *     66    8 notBefore
 *     74    8 notAfter, at most 48 h after notBefore
 *     82   64 by the identity key over "byway link cert v1" ‖ 34..82
 *    146   64 by the link key over "byway link proof v1" ‖ side ‖ exporter ‖ 0..146
 * ```
 * @module
 */
import { concatBytes } from '@byway/protocol/base'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import { requireVersion, WIRE_VERSION } from './text.ts'

/** SPEC §3.3: bytes of a node's greeting. */
export const LINK_PROOF_BYTES = 210
/** SPEC §3.3: bytes of a client's greeting, and those that tell the two apart. */
export const CLIENT_GREETING_BYTES = 2
/** SPEC §3.3: "notAfter, at most 48 h after notBefore". */
export const MAX_LINK_CERT_LIFE_S: number = 48 * 3600

/** SPEC §3.3, "role". */
export const LINK_ROLE = { CLIENT: 0, NODE: 1 } as const
export type LinkRole = (typeof LINK_ROLE)[keyof typeof LINK_ROLE]

/** SPEC §3.3, "side" of the one that proves. */
export const LINK_SIDE = { DIALLER: 0, LISTENER: 1 } as const
export type LinkSide = (typeof LINK_SIDE)[keyof typeof LINK_SIDE]

/** The part of a proof that stays the same while the link key lives. */
export type LinkCert = {
  readonly nodeId: Uint8Array
  readonly linkKey: Uint8Array
  readonly notBeforeS: number
  readonly notAfterS: number
  readonly certSignature: Uint8Array
}

/** A node's greeting, decoded; byte fields are copies. */
export type LinkProof = LinkCert & { readonly proofSignature: Uint8Array }

/** Returns the two bytes with which a client greets. */
export function encodeClientGreeting(): Uint8Array {
  return Uint8Array.of(WIRE_VERSION, LINK_ROLE.CLIENT)
}

/**
 * Reads the role from the first two bytes of a greeting: a node's goes on to {@link LINK_PROOF_BYTES}.
 *
 * @throws WIRE_VERSION, WIRE_VALUE, WIRE_LENGTH with fewer than two bytes
 */
export function readGreetingRole(greeting: Uint8Array): LinkRole {
  const reader = new ByteReader(greeting)
  requireVersion(reader.u8('version'))
  const role = reader.u8('role')
  if (role !== LINK_ROLE.CLIENT && role !== LINK_ROLE.NODE) {
    throw wireError('WIRE_VALUE', { field: 'role', value: role })
  }
  return role
}

/** Decodes a node's greeting of exactly {@link LINK_PROOF_BYTES}. @throws WIRE_VERSION, WIRE_VALUE, WIRE_LENGTH */
export function decodeLinkProof(bytes: Uint8Array): LinkProof {
  if (readGreetingRole(bytes) !== LINK_ROLE.NODE) {
    throw wireError('WIRE_VALUE', { field: 'role', value: LINK_ROLE.CLIENT })
  }
  const reader = new ByteReader(bytes)
  reader.view(CLIENT_GREETING_BYTES, 'greeting')
  const proof: LinkProof = {
    nodeId: reader.copy(32, 'nodeId'),
    linkKey: reader.copy(32, 'linkKey'),
    notBeforeS: reader.u64('notBefore'),
    notAfterS: reader.u64('notAfter'),
    certSignature: reader.copy(64, 'certSignature'),
    proofSignature: reader.copy(64, 'proofSignature'),
  }
  reader.end('linkProof')
  const lifeS = proof.notAfterS - proof.notBeforeS
  if (lifeS <= 0 || lifeS > MAX_LINK_CERT_LIFE_S) {
    throw wireError('WIRE_VALUE', { field: 'notAfter', value: lifeS })
  }
  return proof
}

/** Returns bytes 34..82, which the identity key signs behind the tag. @throws WIRE_ENCODE */
export function linkCertSignedPart(cert: Omit<LinkCert, 'nodeId' | 'certSignature'>): Uint8Array {
  return new ByteWriter(new Uint8Array(CERT_END - CERT_START))
    .fixed(cert.linkKey, 32, 'linkKey')
    .u64(cert.notBeforeS, 'notBefore')
    .u64(cert.notAfterS, 'notAfter')
    .done()
}

/** Encodes bytes 0..146 of a node's greeting: all but the signature over the exporter. @throws WIRE_ENCODE */
export function encodeLinkCert(cert: LinkCert): Uint8Array {
  return new ByteWriter(new Uint8Array(PROOF_START))
    .u8(WIRE_VERSION, 'version')
    .u8(LINK_ROLE.NODE, 'role')
    .fixed(cert.nodeId, 32, 'nodeId')
    .fixed(cert.linkKey, 32, 'linkKey')
    .u64(cert.notBeforeS, 'notBefore')
    .u64(cert.notAfterS, 'notAfter')
    .fixed(cert.certSignature, 64, 'certSignature')
    .done()
}

/**
 * Returns `side ‖ exporter ‖ bytes 0..146`, which the link key signs behind the tag.
 *
 * @param greeting - a whole greeting, or its first 146 bytes from {@link encodeLinkCert}
 * @param exporter - the 32 bytes of SPEC §3.1
 * @throws WIRE_ENCODE
 */
export function linkProofSignedPart(
  greeting: Uint8Array,
  side: LinkSide,
  exporter: Uint8Array,
): Uint8Array {
  if (exporter.length !== 32) throw wireError('WIRE_ENCODE', { field: 'exporter' })
  if (greeting.length < PROOF_START) throw wireError('WIRE_ENCODE', { field: 'greeting' })
  return concatBytes(Uint8Array.of(side), exporter, greeting.subarray(0, PROOF_START))
}

/** Joins what {@link encodeLinkCert} made and the link key's signature. @throws WIRE_ENCODE */
export function encodeLinkProof(cert: LinkCert, proofSignature: Uint8Array): Uint8Array {
  if (proofSignature.length !== 64) throw wireError('WIRE_ENCODE', { field: 'proofSignature' })
  return concatBytes(encodeLinkCert(cert), proofSignature)
}

const CERT_START = 34
const CERT_END = 82
const PROOF_START = 146
