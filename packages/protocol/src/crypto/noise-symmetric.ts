/**
 * Noise symmetric state (Noise revision 34 §5.1–5.2) for the one cipher suite used here, ChaChaPoly with SHA-256.
 * Chaining key, hash and nonce; it knows no tokens, no patterns and no key agreement.
 * @module
 */
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import { cryptoError } from './errors.ts'
import { NONCE_BYTES, type AeadKey, type CryptoProvider } from './ports.ts'

/** The two transport keys of Noise §5.2 Split(), 32 bytes each: initiator to responder first. */
export type SplitKeys = { readonly k1: Uint8Array; readonly k2: Uint8Array }

/** Noise §5.2. Method names are the specification's. */
export class SymmetricState {
  readonly #provider: CryptoProvider
  #ck: Uint8Array
  #h: Uint8Array
  #key: AeadKey | undefined
  #n = 0

  constructor(provider: CryptoProvider, protocolName: string) {
    this.#provider = provider
    const name = utf8Bytes(protocolName)
    this.#h =
      name.length <= HASH_BYTES
        ? concatBytes(name, new Uint8Array(HASH_BYTES - name.length))
        : provider.sha256(name)
    this.#ck = this.#h
  }

  /** True once a key was mixed in: from then on everything sent is sealed. */
  get hasKey(): boolean {
    return this.#key !== undefined
  }

  /** The hash of all that was said so far; after the last message, the handshake hash. */
  get handshakeHash(): Uint8Array {
    return this.#h
  }

  mixHash(data: Uint8Array): void {
    this.#h = this.#provider.sha256(this.#h, data)
  }

  mixKey(material: Uint8Array): void {
    const { k1, k2 } = this.#derive(material)
    this.#ck = k1
    this.#key = this.#provider.aeadKey(k2)
    this.#n = 0
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed =
      this.#key === undefined
        ? plaintext
        : this.#provider.aeadSeal(SUITE, this.#key, this.#nonce(), this.#h, plaintext)
    this.mixHash(sealed)
    return sealed
  }

  /** @throws CRYPTO_HANDSHAKE_REFUSED */
  decryptAndHash(sealed: Uint8Array): Uint8Array {
    const plaintext =
      this.#key === undefined
        ? sealed.slice()
        : this.#provider.aeadOpen(SUITE, this.#key, this.#nonce(), this.#h, sealed)
    if (plaintext === undefined) throw cryptoError('CRYPTO_HANDSHAKE_REFUSED', {})
    this.mixHash(sealed)
    return plaintext
  }

  split(): SplitKeys {
    return this.#derive(NOTHING)
  }

  /** Noise §4.3 HKDF with two outputs, which is RFC 5869 with the chaining key as salt and no info. */
  #derive(material: Uint8Array): SplitKeys {
    const both = this.#provider.hkdfSha256(material, this.#ck, NOTHING, 2 * HASH_BYTES)
    return { k1: both.slice(0, HASH_BYTES), k2: both.slice(HASH_BYTES) }
  }

  /** Noise §12.3: 32 zero bits and the counter as u64 little-endian. A handshake uses a handful. */
  #nonce(): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES)
    nonce[4] = this.#n
    this.#n++
    return nonce
  }
}

const SUITE = 'chacha20-poly1305'
const HASH_BYTES = 32
const NOTHING = new Uint8Array(0)
