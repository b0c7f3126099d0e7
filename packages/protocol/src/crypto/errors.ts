/**
 * Errors of the crypto folder. Kind `peer` is what a hostile or broken peer can cause; contexts hold sizes and names only.
 * @module
 */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type CryptoErrors = {
  /** A public key is malformed, not reduced (ML-KEM), or gives an all-zero shared secret (X25519). */
  CRYPTO_PUBLIC_KEY: { algorithm: 'x25519' | 'ml-kem-768' }
  /** A KEM ciphertext has the wrong length. (A wrong one of the right length gives a wrong secret, by design.) */
  CRYPTO_KEM_CIPHERTEXT: { want: number; have: number }
  /** A handshake message is too short for its pattern, or longer than Noise allows. */
  CRYPTO_HANDSHAKE_LENGTH: { want: number; have: number }
  /** A handshake message was not made for this key, this prologue or this state. */
  CRYPTO_HANDSHAKE_REFUSED: Record<string, never>
}

/** Every error this folder throws, broken invariants apart. Narrow on `code` to read `context`. */
export type CryptoError = ErrorOf<CryptoErrors>

export const cryptoError: ErrorBuilder<CryptoErrors> = errorBuilder<CryptoErrors>({
  CRYPTO_PUBLIC_KEY: ['peer', 'a public key cannot be used'],
  CRYPTO_KEM_CIPHERTEXT: ['peer', 'a KEM ciphertext has the wrong length'],
  CRYPTO_HANDSHAKE_LENGTH: ['peer', 'a handshake message has an impossible length'],
  CRYPTO_HANDSHAKE_REFUSED: ['peer', 'a handshake message does not authenticate'],
})
