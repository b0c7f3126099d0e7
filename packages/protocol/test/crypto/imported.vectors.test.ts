/** Imported public vectors on our wrappers: Wycheproof's cases, expected refusals among them, and two sets of Noise handshakes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAllZero } from '@byway/protocol/base'
import { KEM_SEED_BYTES, KEY_BYTES } from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { checkAead, orRefused, testCases, type AeadCase } from './oracle/check-case.ts'
import { BASIC_PATTERNS, patternNameOf, replay } from './oracle/noise-replay.ts'
import { field, readNoise, readWycheproof, type PublicCase } from './oracle/public-vectors.ts'

/** Wycheproof file → the least number of cases, and the check of one. */
const WYCHEPROOF: Readonly<Record<string, readonly [number, (one: PublicCase) => void]>> = {
  x25519: [518, checkX25519],
  ed25519: [151, checkEd25519],
  chacha20_poly1305: [325, (one) => checkAead('chacha20-poly1305', aeadCase(one))],
  aes_gcm: [105, (one) => checkAead('aes-256-gcm', aeadCase(one))],
  hkdf_sha256: [86, checkHkdf],
  hmac_sha256: [174, checkHmac],
  mlkem_768: [193, checkDecapsulation],
  mlkem_768_keygen_seed: [100, checkKemKeyPair],
  mlkem_768_encaps: [165, checkKemPublicKey],
}

for (const [name, [least, check]] of Object.entries(WYCHEPROOF)) {
  testCases(`wycheproof ${name}`, least, () => readWycheproof(name), check)
}
for (const name of ['cacophony', 'snow']) {
  const read = (): ReturnType<typeof readNoise> => readNoise(name)
  testCases(name, 15, read, (one) => replay(one, 'by turn'))
  test(`${name} holds all 15 basic patterns`, () => {
    assert.deepEqual(new Set(read().map(patternNameOf)), new Set(Object.keys(BASIC_PATTERNS)))
  })
}

function checkX25519(one: PublicCase): void {
  const { privateKey } = provider.x25519KeyPair(field(one, 'private'))
  const shared = field(one, 'shared')
  const result = orRefused(() => provider.x25519(privateKey, field(one, 'public')))
  // RFC 7748 §6.1 leaves an all-zero secret to the protocol; ours refuses it.
  assert.deepEqual(result, isAllZero(shared) ? undefined : shared)
}

function checkEd25519(one: PublicCase): void {
  const isValid = provider.ed25519Verify(field(one, 'pk'), field(one, 'msg'), field(one, 'sig'))
  assert.equal(isValid, one.result === 'valid')
}

function aeadCase(one: PublicCase): AeadCase {
  return {
    key: field(one, 'key'),
    nonce: field(one, 'iv'),
    associated: field(one, 'aad'),
    plaintext: one.result === 'valid' ? field(one, 'msg') : undefined,
    ciphertext: field(one, 'ct'),
    tag: field(one, 'tag'),
  }
}

function checkHkdf(one: PublicCase): void {
  const [ikm, salt, info] = [field(one, 'ikm'), field(one, 'salt'), field(one, 'info')]
  const derived = orRefused(() => provider.hkdfSha256(ikm, salt, info, Number(one['size'])))
  assert.deepEqual(derived, one.result === 'valid' ? field(one, 'okm') : undefined)
}

function checkHmac(one: PublicCase): void {
  const tag = field(one, 'tag')
  const mac = provider.hmacSha256(field(one, 'key'), field(one, 'msg')).slice(0, tag.length)
  assert.equal(provider.timingSafeEqual(mac, tag), one.result === 'valid')
}

function checkDecapsulation(one: PublicCase): void {
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
}

function checkKemKeyPair(one: PublicCase): void {
  const { publicKey } = provider.kemKeyPair(field(one, 'seed'))
  assert.deepEqual(provider.sha256(publicKey), field(one, 'ekSha256'))
}

function checkKemPublicKey(one: PublicCase): void {
  const publicKey = orRefused(() => provider.kemPublicKey(field(one, 'ek')))
  assert.equal(publicKey !== undefined, one.result === 'valid')
  if (publicKey) {
    const { sharedSecret } = provider.kemEncapsulate(publicKey)
    assert.equal(sharedSecret.length, KEY_BYTES)
    assert.notDeepEqual(provider.kemEncapsulate(publicKey).sharedSecret, sharedSecret)
  }
}
