/** Our wrappers against a second implementation, `@noble/*`, on random input. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import fc from 'fast-check'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'

const RUNS = { numRuns: process.env['SLOW'] === '1' ? 5000 : 100 }
const exactly = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const message = fc.uint8Array({ maxLength: 300 })

/** What a function gives, or undefined when it refuses: a point of low order may be drawn. */
function resultOf(action: () => Uint8Array): Uint8Array | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

test('x25519 agrees with noble on any scalar and any point', () => {
  fc.assert(
    fc.property(exactly(32), exactly(32), (secret, point) => {
      const pair = provider.x25519KeyPair(secret)
      assert.deepEqual(pair.publicKey, x25519.getPublicKey(secret))
      const ours = resultOf(() => provider.x25519(pair.privateKey, point))
      assert.deepEqual(
        ours,
        resultOf(() => x25519.getSharedSecret(secret, point)),
      )
    }),
    RUNS,
  )
})

test('ed25519 agrees with noble', () => {
  fc.assert(
    fc.property(exactly(32), message, (seed, text) => {
      const pair = provider.ed25519KeyPair(seed)
      assert.deepEqual(pair.publicKey, ed25519.getPublicKey(seed))
      const signature = provider.ed25519Sign(pair.privateKey, text)
      assert.deepEqual(signature, ed25519.sign(text, seed))
      assert.equal(provider.ed25519Verify(pair.publicKey, text, signature), true)
    }),
    RUNS,
  )
})

test('ml-kem-768 agrees with noble: keys from a seed, both directions, implicit rejection', () => {
  fc.assert(
    fc.property(exactly(64), exactly(32), fc.nat(1087), (seed, entropy, at) => {
      const [ours, theirs] = [provider.kemKeyPair(seed), ml_kem768.keygen(seed)]
      assert.deepEqual(ours.publicKey, theirs.publicKey)
      const fromUs = provider.kemEncapsulate(provider.kemPublicKey(ours.publicKey))
      const read = ml_kem768.decapsulate(fromUs.ciphertext, theirs.secretKey)
      assert.deepEqual(read, fromUs.sharedSecret)
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(theirs.publicKey, entropy)
      assert.deepEqual(provider.kemDecapsulate(ours.privateKey, cipherText), sharedSecret)
      cipherText[at] = (cipherText[at] ?? 0) ^ 1
      const forged = provider.kemDecapsulate(ours.privateKey, cipherText)
      assert.deepEqual(forged, ml_kem768.decapsulate(cipherText, theirs.secretKey))
    }),
    RUNS,
  )
})

test('hash, mac and derivation agree with noble', () => {
  fc.assert(
    fc.property(message, message, message, fc.integer({ min: 1, max: 200 }), (a, b, c, bytes) => {
      const joined = Uint8Array.from([...a, ...b])
      assert.deepEqual(provider.sha256(a, b), sha256(joined))
      assert.deepEqual(provider.hmacSha256(c, a, b), hmac(sha256, c, joined))
      assert.deepEqual(provider.hkdfSha256(a, b, c, bytes), hkdf(sha256, a, b, c, bytes))
    }),
    RUNS,
  )
})

test('both suites agree with noble, associated data included', () => {
  fc.assert(
    fc.property(exactly(32), exactly(12), message, message, (raw, nonce, extra, plaintext) => {
      const key = provider.aeadKey(raw)
      for (const [suite, theirs] of [
        ['aes-256-gcm', gcm(raw, nonce, extra)],
        ['chacha20-poly1305', chacha20poly1305(raw, nonce, extra)],
      ] as const) {
        const sealed = provider.aeadSeal(suite, key, nonce, extra, plaintext)
        assert.deepEqual(sealed, theirs.encrypt(plaintext))
        assert.deepEqual(provider.aeadOpen(suite, key, nonce, extra, sealed), plaintext)
      }
    }),
    RUNS,
  )
})
