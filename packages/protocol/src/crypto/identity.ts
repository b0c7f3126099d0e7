/**
 * Signatures by identity and link keys (SPEC §2), separated by a tag per use, so that none can stand for another.
 * A node id is the Ed25519 public key itself: 32 bytes.
 * @module
 */
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import type { CryptoProvider, SigningKey } from './ports.ts'

/** Every use of a signature. No tag is the beginning of another. */
export const SIGNATURE_TAG = {
  /** SPEC §3.3: the identity key certifies a link key. */
  linkCert: 'byway link cert v1',
  /** SPEC §3.3: the link key signs the exporter of a TLS connection. */
  linkProof: 'byway link proof v1',
  /** SPEC §10.1: the identity key signs a descriptor. */
  descriptor: 'byway descriptor v1',
  /** SPEC §10.6: the identity key signs the head of a page of its exit record. */
  exitPage: 'byway exit page v1',
} as const
export type SignatureTag = (typeof SIGNATURE_TAG)[keyof typeof SIGNATURE_TAG]

/** Signs `tag ‖ parts`; 64 bytes. */
export function signTagged(
  provider: CryptoProvider,
  key: SigningKey,
  tag: SignatureTag,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return provider.ed25519Sign(key, concatBytes(utf8Bytes(tag), ...parts))
}

/** True when `signature` is the key's over `tag ‖ parts`. */
export function verifyTagged(
  provider: CryptoProvider,
  publicKey: Uint8Array,
  signature: Uint8Array,
  tag: SignatureTag,
  ...parts: readonly Uint8Array[]
): boolean {
  return provider.ed25519Verify(publicKey, concatBytes(utf8Bytes(tag), ...parts), signature)
}
