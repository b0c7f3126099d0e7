/**
 * ML-KEM-768's accumulated vectors, as Go's crypto/mlkem and others publish them: SHAKE-128 of nothing gives seeds, messages and random ciphertexts; the hash of
 * all keys, ciphertexts and secrets is known. Ours makes keys and decapsulates; node:crypto takes no message, so that noble encapsulates.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { shake128 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { KEM_SEED_BYTES } from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'

const isSlow = process.env['SLOW'] === '1'
const [ROUNDS, HASH] = isSlow
  ? [10_000, '8a518cc63da366322a8e7a818c7a0d63483cb3528d34a4cf42f35d5ad73f22fc']
  : [100, '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415']
const MESSAGE_BYTES = 32
const CIPHERTEXT_BYTES = 1088

test(`ml-kem-768: ${ROUNDS} accumulated vectors (FIPS 203)`, () => {
  const stream = shake128.create({})
  const seen = createHash('shake128', { outputLength: 32 })
  for (let round = 0; round < ROUNDS; round++) {
    const { privateKey, publicKey } = provider.kemKeyPair(stream.xof(KEM_SEED_BYTES))
    const message = stream.xof(MESSAGE_BYTES)
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, message)
    assert.deepEqual(provider.kemDecapsulate(privateKey, cipherText), sharedSecret)
    seen.update(publicKey).update(cipherText).update(sharedSecret)
    // A ciphertext of nobody: the secret is drawn from the key's own (implicit rejection).
    seen.update(provider.kemDecapsulate(privateKey, stream.xof(CIPHERTEXT_BYTES)))
  }
  assert.equal(seen.digest('hex'), HASH)
})
