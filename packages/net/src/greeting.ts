/**
 * Proof of identity on a link (SPEC §3.1, §3.3): makes a node's greeting and judges the peer's, bound to the TLS connection by its
 * exporter. Byte ranges are those of `wire`; when which greeting is due is the business of listening and dialling.
 * @module
 */
import type { TLSSocket } from 'node:tls'
import { equalBytes, isBywayError } from '@byway/protocol/base'
import {
  type CryptoProvider,
  SIGNATURE_TAG,
  type SigningKey,
  signTagged,
  verifyTagged,
} from '@byway/protocol/crypto'
import {
  decodeLinkProof,
  encodeLinkCert,
  encodeLinkProof,
  LINK_PROOF_BYTES,
  linkCertSignedPart,
  linkProofSignedPart,
  MAX_LINK_CERT_LIFE_S,
  type LinkCert,
  type LinkProof,
  type LinkSide,
} from '@byway/protocol/wire'
import { netError, type ProofFault } from './errors.ts'

/** What a node proves itself with: a link key and the identity key's word for it. */
export type LinkIdentity = { readonly cert: LinkCert; readonly linkKey: SigningKey }

/** What {@link issueLinkIdentity} needs. */
export type IssueLinkIdentity = {
  readonly nodeId: Uint8Array
  readonly identityKey: SigningKey
  /** 32 random bytes: the seed of the new link key. */
  readonly linkSeed: Uint8Array
  readonly notBeforeS: number
  /** @default 48 h, the most that SPEC §3.3 allows */
  readonly lifeS?: number | undefined
}

/** Certifies a fresh link key; the identity key may go offline afterwards. */
export function issueLinkIdentity(crypto: CryptoProvider, input: IssueLinkIdentity): LinkIdentity {
  const link = crypto.ed25519KeyPair(input.linkSeed)
  const dates = {
    linkKey: link.publicKey,
    notBeforeS: input.notBeforeS,
    notAfterS: input.notBeforeS + (input.lifeS ?? MAX_LINK_CERT_LIFE_S),
  }
  const part = linkCertSignedPart(dates)
  const certSignature = signTagged(crypto, input.identityKey, SIGNATURE_TAG.linkCert, part)
  return { cert: { nodeId: input.nodeId, ...dates, certSignature }, linkKey: link.privateKey }
}

/** Returns the 32 bytes that name this TLS connection (SPEC §3.1). */
export function exporterOf(socket: TLSSocket): Uint8Array {
  // In TLS 1.3 an empty context is no context (RFC 8446 §7.5); the types want one.
  const noContext = Buffer.alloc(0)
  return Uint8Array.from(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, noContext))
}

/** Makes a node's greeting for one connection; 210 bytes. */
export function proveIdentity(
  crypto: CryptoProvider,
  identity: LinkIdentity,
  side: LinkSide,
  exporter: Uint8Array,
): Uint8Array {
  const part = linkProofSignedPart(encodeLinkCert(identity.cert), side, exporter)
  const signature = signTagged(crypto, identity.linkKey, SIGNATURE_TAG.linkProof, part)
  return encodeLinkProof(identity.cert, signature)
}

/** What a peer's greeting must agree with. */
export type ProofExpectation = {
  /** The side that proves. */
  readonly side: LinkSide
  readonly exporter: Uint8Array
  readonly nowS: number
  /** The node that was asked for; a listener does not know beforehand. */
  readonly nodeId?: Uint8Array | undefined
}

/**
 * Checks a node's greeting and returns its node id.
 *
 * @throws NET_PROOF
 */
export function checkProof(
  crypto: CryptoProvider,
  greeting: Uint8Array,
  expected: ProofExpectation,
): Uint8Array {
  const proof = decode(greeting)
  const fault = faultOf(crypto, greeting, proof, expected)
  if (fault) throw netError('NET_PROOF', { fault })
  return proof.nodeId
}

function decode(greeting: Uint8Array): LinkProof {
  try {
    return decodeLinkProof(greeting.subarray(0, LINK_PROOF_BYTES))
  } catch (cause) {
    if (!isBywayError(cause)) throw cause
    throw netError('NET_PROOF', { fault: 'format' }, { cause })
  }
}

/** SPEC §3.3: "MUST check the node id it asked for, both signatures, and the dates with ten minutes of tolerance". */
function faultOf(
  crypto: CryptoProvider,
  greeting: Uint8Array,
  proof: LinkProof,
  expected: ProofExpectation,
): ProofFault | undefined {
  if (expected.nodeId && !equalBytes(expected.nodeId, proof.nodeId)) return 'node-id'
  if (expected.nowS + CLOCK_TOLERANCE_S < proof.notBeforeS) return 'not-yet-valid'
  if (expected.nowS - CLOCK_TOLERANCE_S > proof.notAfterS) return 'expired'
  const { linkCert, linkProof } = SIGNATURE_TAG
  const cert = linkCertSignedPart(proof)
  if (!verifyTagged(crypto, proof.nodeId, proof.certSignature, linkCert, cert)) return 'certificate'
  const part = linkProofSignedPart(greeting, expected.side, expected.exporter)
  if (!verifyTagged(crypto, proof.linkKey, proof.proofSignature, linkProof, part)) return 'proof'
  return undefined
}

// Protocol constants (change needs a spec change).

/** SPEC §3.1. */
const EXPORTER_LABEL = 'EXPORTER-byway-link-v1'
const EXPORTER_BYTES = 32
/** SPEC §3.3: "the dates with ten minutes of tolerance". */
const CLOCK_TOLERANCE_S = 600
