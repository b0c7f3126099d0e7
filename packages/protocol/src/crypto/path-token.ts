/**
 * The token of a link's upgrade path (SPEC §3.2): shows that the dialler knows the node id and terminates this very TLS
 * connection.
 * @module
 */
import { toBase64url, utf8Bytes } from '@byway/protocol/base'
import type { CryptoProvider } from './ports.ts'

/** Computes `base64url(HMAC(H("byway path v1" ‖ nodeId), exporter))`: 43 characters. */
export function pathToken(
  provider: CryptoProvider,
  nodeId: Uint8Array,
  exporter: Uint8Array,
): string {
  const key = provider.sha256(utf8Bytes('byway path v1'), nodeId)
  return toBase64url(provider.hmacSha256(key, exporter))
}
