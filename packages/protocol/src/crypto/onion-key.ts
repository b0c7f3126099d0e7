/**
 * Values derived from a hop's public keys: the name of an onion key (SPEC §2), the prologue of its handshake (§5.1) and the
 * cheap check before it (mac1, §5.2). None is secret; mac1 only shows that the sender knows whom it speaks to.
 * @module
 */
import { assert, concatBytes, utf8Bytes } from '@byway/protocol/base'
import type { CryptoProvider } from './ports.ts'

/** Names an onion key: the first 8 bytes of `H("byway onion key v1" ‖ onionPublicKey)`. */
export function onionKeyId(provider: CryptoProvider, onionPublicKey: Uint8Array): Uint8Array {
  return provider
    .sha256(utf8Bytes('byway onion key v1'), onionPublicKey)
    .slice(0, ONION_KEY_ID_BYTES)
}

/** Builds the prologue of a handshake: `"byway/1" ‖ nodeId ‖ onionKeyId ‖ position`. */
export function circuitPrologue(
  nodeId: Uint8Array,
  keyId: Uint8Array,
  position: number,
): Uint8Array {
  assert(position >= 1 && position <= 3, 'a hop has position 1, 2 or 3')
  return concatBytes(utf8Bytes('byway/1'), nodeId, keyId, Uint8Array.of(position))
}

/** Derives the key of mac1 (32 bytes); a hop keeps one per onion key. */
export function mac1Key(
  provider: CryptoProvider,
  nodeId: Uint8Array,
  keyId: Uint8Array,
): Uint8Array {
  return provider.sha256(utf8Bytes('byway mac1 v1'), nodeId, keyId)
}

/** Computes mac1 over the bytes of a CREATE that follow it, padding not included (SPEC §5.2: bytes 18 to 27 + n). */
export function mac1(provider: CryptoProvider, key: Uint8Array, covered: Uint8Array): Uint8Array {
  return provider.hmacSha256(key, covered).slice(0, MAC1_BYTES)
}

/** SPEC §2. */
export const ONION_KEY_ID_BYTES = 8
/** SPEC §5.2. */
export const MAC1_BYTES = 16
