/** Wycheproof's cases, the expected refusals among them, on our wrappers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAllZero, isBywayError } from '@byway/protocol/base'
import { KEM_SEED_BYTES, KEY_BYTES, NONCE_BYTES, type AeadSuite } from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { field, readPublicVectors, type PublicCase } from './oracle/public-vectors.ts'

/** Runs `check` on every case of a file. A case may only be refused by a typed error or a plain "no". */
function suite(name: string, least: number, check: (one: PublicCase) => void): void {
  const cases = readPublicVectors(`wycheproof-${name}`)
  const skip = cases ? false : 'vectors/public is not here, see vectors/README.md'
  test(`wycheproof ${name}: every case as expected`, { skip }, (t) => {
    assert.ok(cases && cases.length >= least, `at least ${least} cases`)
    for (const one of cases) {
      try {
        check(one)
      } catch (cause) {
        throw new Error(`case ${one.id} (${one.result}, ${one.flags?.join()})`, { cause })
      }
    }
    t.diagnostic(`${cases.length} cases`)
  })
}

/** What `action` gives, or undefined when it refuses with one of our errors. */
function orRefused<Result>(action: () => Result): Result | undefined {
  try {
    return action()
  } catch (error) {
    assert.ok(isBywayError(error), String(error))
    return undefined
  }
}

suite('x25519', 518, (one) => {
  const { privateKey } = provider.x25519KeyPair(field(one, 'private'))
  const shared = field(one, 'shared')
  const result = orRefused(() => provider.x25519(privateKey, field(one, 'public')))
  // RFC 7748 §6.1 leaves an all-zero secret to the protocol; ours refuses it.
  assert.deepEqual(result, isAllZero(shared) ? undefined : shared)
})

suite('ed25519', 151, (one) => {
  const isValid = provider.ed25519Verify(field(one, 'pk'), field(one, 'msg'), field(one, 'sig'))
  assert.equal(isValid, one.result === 'valid')
})

function checkAead(name: AeadSuite, one: PublicCase): void {
  const [nonce, aad, plaintext] = [field(one, 'iv'), field(one, 'aad'), field(one, 'msg')]
  const sealed = Uint8Array.from([...field(one, 'ct'), ...field(one, 'tag')])
  const key = provider.aeadKey(field(one, 'key'))
  const opened = orRefused(() => provider.aeadOpen(name, key, nonce, aad, sealed))
  const resealed = orRefused(() => provider.aeadSeal(name, key, nonce, aad, plaintext))
  if (nonce.length !== NONCE_BYTES) {
    assert.equal(opened ?? resealed, undefined, 'nonces have 12 bytes')
  } else if (one.result === 'valid') {
    assert.deepEqual(opened, plaintext)
    assert.deepEqual(resealed, sealed)
  } else {
    assert.equal(opened, undefined)
  }
}

suite('chacha20_poly1305', 325, (one) => checkAead('chacha20-poly1305', one))
suite('aes_gcm', 90, (one) => checkAead('aes-256-gcm', one))

suite('hkdf_sha256', 86, (one) => {
  const [ikm, salt, info] = [field(one, 'ikm'), field(one, 'salt'), field(one, 'info')]
  const derived = orRefused(() => provider.hkdfSha256(ikm, salt, info, Number(one['size'])))
  assert.deepEqual(derived, one.result === 'valid' ? field(one, 'okm') : undefined)
})

suite('hmac_sha256', 174, (one) => {
  const tag = field(one, 'tag')
  const mac = provider.hmacSha256(field(one, 'key'), field(one, 'msg')).slice(0, tag.length)
  assert.equal(provider.timingSafeEqual(mac, tag), one.result === 'valid')
})

suite('mlkem_768', 193, (one) => {
  const seed = field(one, 'seed')
  const pair = orRefused(() => provider.kemKeyPair(seed))
  assert.equal(pair !== undefined, seed.length === KEM_SEED_BYTES)
  const shared = orRefused(() => pair && provider.kemDecapsulate(pair.privateKey, field(one, 'c')))
  if (one.result === 'valid') {
    assert.ok(pair)
    assert.deepEqual(provider.sha256(pair.publicKey), field(one, 'ekSha256'))
    assert.deepEqual(shared, field(one, 'K'))
  } else {
    assert.equal(shared, undefined)
  }
})

suite('mlkem_768_keygen_seed', 100, (one) => {
  const { publicKey } = provider.kemKeyPair(field(one, 'seed'))
  assert.deepEqual(provider.sha256(publicKey), field(one, 'ekSha256'))
})

suite('mlkem_768_encaps', 165, (one) => {
  const publicKey = orRefused(() => provider.kemPublicKey(field(one, 'ek')))
  assert.equal(publicKey !== undefined, one.result === 'valid')
  if (publicKey) {
    const { sharedSecret } = provider.kemEncapsulate(publicKey)
    assert.equal(sharedSecret.length, KEY_BYTES)
    assert.notDeepEqual(provider.kemEncapsulate(publicKey).sharedSecret, sharedSecret)
  }
})
