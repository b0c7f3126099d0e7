/**
 * The crypto port on node:crypto of Node 24, for production. No algorithm is written here: this file converts between raw
 * bytes and KeyObjects and turns OpenSSL's failures into the port's typed ones.
 *
 * Node's functions return Buffers, whose `slice` does not copy; everything that leaves here is a plain Uint8Array.
 * @module
 */
import * as node from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { assert } from '@byway/protocol/base'
import { cryptoError } from './errors.ts'
import { createLayerOpener, createLayerSealer } from './node-layer.ts'
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEM_SEED_BYTES,
  KEY_BYTES,
  NONCE_BYTES,
  SIGNATURE_BYTES,
  TAG_BYTES,
  type AeadKey,
  type CryptoProvider,
  type KemPrivateKey,
  type KemPublicKey,
  type SigningKey,
  type X25519PrivateKey,
} from './ports.ts'

/** The production provider. Stateless: one serves the whole process. */
export const nodeCrypto: CryptoProvider = {
  x25519KeyPair(secret) {
    const { key, publicKey } = keyPair('x25519', 'raw-private', exactly(secret, KEY_BYTES))
    return { privateKey: key as KeyObject & X25519PrivateKey, publicKey }
  },
  x25519(privateKey, publicKey) {
    if (publicKey.length !== KEY_BYTES)
      throw cryptoError('CRYPTO_PUBLIC_KEY', { algorithm: 'x25519' })
    try {
      const peer = importPublic('x25519', publicKey)
      return plain(node.diffieHellman({ privateKey: unwrap(privateKey), publicKey: peer }))
    } catch (cause) {
      throw cryptoError('CRYPTO_PUBLIC_KEY', { algorithm: 'x25519' }, { cause })
    }
  },

  kemKeyPair(seed) {
    const { key, publicKey } = keyPair('ml-kem-768', 'raw-seed', exactly(seed, KEM_SEED_BYTES))
    return { privateKey: key as KeyObject & KemPrivateKey, publicKey }
  },
  kemPublicKey(publicKey) {
    if (publicKey.length !== KEM_PUBLIC_KEY_BYTES) {
      throw cryptoError('CRYPTO_PUBLIC_KEY', { algorithm: 'ml-kem-768' })
    }
    try {
      return importPublic('ml-kem-768', publicKey) as KeyObject & KemPublicKey
    } catch (cause) {
      throw cryptoError('CRYPTO_PUBLIC_KEY', { algorithm: 'ml-kem-768' }, { cause })
    }
  },
  kemEncapsulate(publicKey) {
    const { ciphertext, sharedKey } = node.encapsulate(unwrap(publicKey))
    return { ciphertext: plain(ciphertext), sharedSecret: plain(sharedKey) }
  },
  kemDecapsulate(privateKey, ciphertext) {
    if (ciphertext.length !== KEM_CIPHERTEXT_BYTES) {
      throw cryptoError('CRYPTO_KEM_CIPHERTEXT', {
        want: KEM_CIPHERTEXT_BYTES,
        have: ciphertext.length,
      })
    }
    return plain(node.decapsulate(unwrap(privateKey), ciphertext))
  },

  sha256(...parts) {
    const hash = node.createHash('sha256')
    for (const part of parts) hash.update(part)
    return plain(hash.digest())
  },
  hmacSha256(key, ...parts) {
    const hmac = node.createHmac('sha256', key)
    for (const part of parts) hmac.update(part)
    return plain(hmac.digest())
  },
  hkdfSha256(ikm, salt, info, bytes) {
    assert(bytes >= 1 && bytes <= HKDF_MAX_BYTES, 'HKDF-SHA256 gives 1 to 8160 bytes')
    return new Uint8Array(node.hkdfSync('sha256', ikm, salt, info, bytes))
  },

  aeadKey(key) {
    return node.createSecretKey(exactly(key, KEY_BYTES)) as KeyObject & AeadKey
  },
  aeadSeal(suite, key, nonce, associated, plaintext) {
    const cipher = node.createCipheriv(
      suite as 'aes-256-gcm',
      unwrap(key),
      exactly(nonce, NONCE_BYTES),
      AUTH,
    )
    cipher.setAAD(associated)
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES)
    sealed.set(cipher.update(plaintext), 0)
    cipher.final()
    sealed.set(cipher.getAuthTag(), plaintext.length)
    return sealed
  },
  aeadOpen(suite, key, nonce, associated, sealed) {
    if (sealed.length < TAG_BYTES) return undefined
    const tagAt = sealed.length - TAG_BYTES
    const decipher = node.createDecipheriv(
      suite as 'aes-256-gcm',
      unwrap(key),
      exactly(nonce, NONCE_BYTES),
      AUTH,
    )
    decipher.setAAD(associated)
    decipher.setAuthTag(sealed.subarray(tagAt))
    const plaintext = decipher.update(sealed.subarray(0, tagAt))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plain(plaintext)
  },

  layerSealer(suite, key) {
    return createLayerSealer(suite, unwrap(key))
  },
  layerOpener(suite, key) {
    return createLayerOpener(suite, unwrap(key))
  },

  ed25519KeyPair(seed) {
    const { key, publicKey } = keyPair('ed25519', 'raw-private', exactly(seed, KEY_BYTES))
    return { privateKey: key as KeyObject & SigningKey, publicKey }
  },
  ed25519Sign(privateKey, message) {
    return plain(node.sign(null, message, unwrap(privateKey)))
  },
  ed25519Verify(publicKey, message, signature) {
    if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
    return node.verify(null, message, importPublic('ed25519', publicKey), signature)
  },

  timingSafeEqual(a, b) {
    return a.length === b.length && node.timingSafeEqual(a, b)
  },
}

type Algorithm = 'x25519' | 'ml-kem-768' | 'ed25519'

function keyPair(
  algorithm: Algorithm,
  format: 'raw-private' | 'raw-seed',
  secret: Uint8Array,
): { key: KeyObject; publicKey: Uint8Array } {
  const key = node.createPrivateKey({
    key: bufferOf(secret),
    format,
    asymmetricKeyType: algorithm,
  })
  const publicKey = node.createPublicKey(key).export({ format: 'raw-public' })
  return { key, publicKey: plain(publicKey) }
}

function importPublic(algorithm: Algorithm, publicKey: Uint8Array): KeyObject {
  return node.createPublicKey({
    key: bufferOf(publicKey),
    format: 'raw-public',
    asymmetricKeyType: algorithm,
  })
}

/** The opaque keys of the port are KeyObjects; only this folder's Node files know. */
function unwrap(key: object): KeyObject {
  assert(key instanceof node.KeyObject, 'a key of another crypto provider')
  return key
}

function exactly(secret: Uint8Array, bytes: number): Uint8Array {
  assert(secret.length === bytes, `${bytes} bytes wanted, ${secret.length} given`)
  return secret
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** RFC 5869 §2.3: 255 blocks of SHA-256. */
const HKDF_MAX_BYTES = 255 * 32
const AUTH = { authTagLength: TAG_BYTES } as const
