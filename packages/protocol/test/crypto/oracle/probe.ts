/** Makes an opaque key comparable without exporting it: what it seals under a fixed nonce. */
import type { AeadKey } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'

export function probe(key: AeadKey | Uint8Array): string {
  const imported = key instanceof Uint8Array ? nodeCrypto.aeadKey(key) : key
  const sealed = nodeCrypto.aeadSeal(
    'chacha20-poly1305',
    imported,
    new Uint8Array(12),
    new Uint8Array(0),
    new Uint8Array(32),
  )
  return Buffer.from(sealed).toString('hex')
}
