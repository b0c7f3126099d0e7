/**
 * The port to everything algorithmic that the pure core needs. `node-provider.ts` implements it for production; tests
 * put an oracle behind it. Randomness arrives as arguments, with one exception: {@link CryptoProvider.kemEncapsulate}
 * draws its own, because Node offers no derandomised form.
 *
 * Lengths of secrets are the caller's contract (a wrong one is a bug); lengths of a peer's values are checked.
 * @module
 */
import type { LayerOpener, LayerSealer } from './layer.ts'

/** An authenticated cipher: 32-byte key, 12-byte nonce, 16-byte tag. */
export type AeadSuite = 'aes-256-gcm' | 'chacha20-poly1305'

/** A symmetric key inside the provider. Opaque: only the provider that made it can read it. */
export type AeadKey = { readonly __brand: 'AeadKey' }
/** An X25519 private key inside the provider. */
export type X25519PrivateKey = { readonly __brand: 'X25519PrivateKey' }
/** An ML-KEM-768 decapsulation key inside the provider. */
export type KemPrivateKey = { readonly __brand: 'KemPrivateKey' }
/** An ML-KEM-768 encapsulation key that passed the checks of FIPS 203 §7.2. */
export type KemPublicKey = { readonly __brand: 'KemPublicKey' }
/** An Ed25519 private key inside the provider. */
export type SigningKey = { readonly __brand: 'SigningKey' }

export type X25519KeyPair = {
  readonly privateKey: X25519PrivateKey
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

export type KemKeyPair = {
  readonly privateKey: KemPrivateKey
  /** {@link KEM_PUBLIC_KEY_BYTES} bytes. */
  readonly publicKey: Uint8Array
}

export type SigningKeyPair = {
  readonly privateKey: SigningKey
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

export type Encapsulation = {
  /** {@link KEM_CIPHERTEXT_BYTES} bytes, for the peer. */
  readonly ciphertext: Uint8Array
  /** 32 bytes, secret. */
  readonly sharedSecret: Uint8Array
}

/** Algorithms as the core sees them. Every Uint8Array returned is a plain one (never a Buffer) and the caller's own. */
export interface CryptoProvider {
  /** Makes an X25519 key pair (RFC 7748) from 32 random bytes. */
  x25519KeyPair(secret: Uint8Array): X25519KeyPair
  /**
   * Computes the 32-byte shared secret of RFC 7748 §6.1.
   *
   * @throws CRYPTO_PUBLIC_KEY when the peer's key is not 32 bytes or the result is all zero
   */
  x25519(privateKey: X25519PrivateKey, publicKey: Uint8Array): Uint8Array

  /** Makes an ML-KEM-768 key pair (FIPS 203) from the 64-byte seed `d ‖ z`, which is also its stored form. */
  kemKeyPair(seed: Uint8Array): KemKeyPair
  /** @throws CRYPTO_PUBLIC_KEY unless the key has its exact length and every coefficient is reduced */
  kemPublicKey(publicKey: Uint8Array): KemPublicKey
  /** Encapsulates a fresh secret; the randomness is the provider's. */
  kemEncapsulate(publicKey: KemPublicKey): Encapsulation
  /**
   * Decapsulates. A forged ciphertext of the right length gives an unrelated secret, never an error.
   *
   * @throws CRYPTO_KEM_CIPHERTEXT when the length is wrong
   */
  kemDecapsulate(privateKey: KemPrivateKey, ciphertext: Uint8Array): Uint8Array

  /** Hashes the parts as one message; 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array
  /** Computes HMAC-SHA256 over the parts as one message; 32 bytes. */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  /** Derives `bytes` bytes (1 to 8160) by RFC 5869. An empty salt means 32 zero bytes, as there. */
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array

  /** Imports a 32-byte key. */
  aeadKey(key: Uint8Array): AeadKey
  /** Returns ciphertext ‖ tag. The nonce has 12 bytes and MUST be new under this key. */
  aeadSeal(
    suite: AeadSuite,
    key: AeadKey,
    nonce: Uint8Array,
    associated: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array
  /** Returns the plaintext, or undefined when anything was changed or the input is shorter than a tag. */
  aeadOpen(
    suite: AeadSuite,
    key: AeadKey,
    nonce: Uint8Array,
    associated: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined

  /** Starts one direction of one hop's layer at counter 0 (SPEC §6.2), sealing side. */
  layerSealer(suite: AeadSuite, key: AeadKey): LayerSealer
  /** Starts one direction of one hop's layer at counter 0 (SPEC §6.2), opening side. */
  layerOpener(suite: AeadSuite, key: AeadKey): LayerOpener

  /** Makes an Ed25519 key pair (RFC 8032) from its 32-byte seed, which is also its stored form. */
  ed25519KeyPair(seed: Uint8Array): SigningKeyPair
  /** Signs; 64 bytes. Use `signTagged`, which separates the uses of a key. */
  ed25519Sign(privateKey: SigningKey, message: Uint8Array): Uint8Array
  /** True for a valid signature; false for anything else, wrong lengths included. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean

  /** Compares secrets in constant time; false at once when the lengths differ. */
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean
}

// Protocol constants (change needs a spec change): sizes that the algorithms fix.

/** RFC 7748 and RFC 8032: secrets, public keys. */
export const KEY_BYTES = 32
/** RFC 8032 §5.1.6. */
export const SIGNATURE_BYTES = 64
/** FIPS 203 §8, ML-KEM-768. */
export const KEM_PUBLIC_KEY_BYTES = 1184
/** FIPS 203 §8, ML-KEM-768. */
export const KEM_CIPHERTEXT_BYTES = 1088
/** FIPS 203 §7.1: d ‖ z. */
export const KEM_SEED_BYTES = 64
/** Tag of both suites (RFC 5116 §5.1, RFC 8439 §2.8). */
export const TAG_BYTES = 16
/** Nonce of both suites. */
export const NONCE_BYTES = 12
