/**
 * The secret of a tunnel on its way from leg to leg (SPEC §9.2): the proofs of JOIN and JOINED, and the ratchet after them.
 * Which secrets are accepted when is the tunnel machine's business.
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import { KEY_BYTES, type CryptoProvider } from './ports.ts'

/**
 * Computes `JOIN.mac` or `JOINED.mac` (32 bytes).
 *
 * @param legHash - handshake hash of the new leg's last hop
 * @param fields - `tunnel id ‖ generation ‖ next sequence` as on the wire
 */
export function tunnelMac(
  provider: CryptoProvider,
  secret: Uint8Array,
  label: 'join' | 'joined',
  legHash: Uint8Array,
  fields: Uint8Array,
): Uint8Array {
  return provider.hmacSha256(secret, utf8Bytes(label), legHash, fields)
}

/** Moves the secret on after a join: `S ← HKDF(S, legHash, "byway tunnel ratchet")`. */
export function ratchetTunnelSecret(
  provider: CryptoProvider,
  secret: Uint8Array,
  legHash: Uint8Array,
): Uint8Array {
  return provider.hkdfSha256(secret, legHash, utf8Bytes('byway tunnel ratchet'), KEY_BYTES)
}
