/**
 * The keys of one hop (SPEC §5.5), from the two keys and the hash of its handshake.
 * @module
 */
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import type { SplitKeys } from './noise-symmetric.ts'
import { KEY_BYTES, type AeadKey, type CryptoProvider } from './ports.ts'

export type CircuitKeys = {
  /** Layer key of cells from the client. */
  readonly forward: AeadKey
  /** Layer key of cells to the client. */
  readonly backward: AeadKey
  /** 32 bytes, known to client and hop only, that tie a ticket to this circuit. */
  readonly bind: Uint8Array
  /** S₀ of SPEC §9.2, 32 bytes: the secret of a tunnel that this hop would end. */
  readonly tunnelSecret: Uint8Array
}

/** Derives the keys of one hop. */
export function deriveCircuitKeys(
  provider: CryptoProvider,
  split: SplitKeys,
  handshakeHash: Uint8Array,
): CircuitKeys {
  const derive = (ikm: Uint8Array, label: string): Uint8Array =>
    provider.hkdfSha256(ikm, handshakeHash, utf8Bytes(label), KEY_BYTES)
  const both = concatBytes(split.k1, split.k2)
  return {
    forward: provider.aeadKey(derive(split.k1, 'byway cell f')),
    backward: provider.aeadKey(derive(split.k2, 'byway cell b')),
    bind: derive(both, 'byway bind'),
    tunnelSecret: derive(both, 'byway tunnel'),
  }
}
