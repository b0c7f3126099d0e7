/** Our wrappers against wrong input, and against printed values that `rfc.vectors.test.ts` does not hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'

const bug = { code: 'ASSERTION', kind: 'bug' }

test('x25519 refuses an all-zero secret and a key of another length', () => {
  const { privateKey } = provider.x25519KeyPair(new Uint8Array(32).fill(9))
  for (const bytes of [0, 31, 32, 33]) {
    const zeros = new Uint8Array(bytes)
    assert.throws(() => provider.x25519(privateKey, zeros), { code: 'CRYPTO_PUBLIC_KEY' })
  }
  assert.throws(() => provider.x25519KeyPair(new Uint8Array(31)), bug)
})

test('ed25519 signs as RFC 8032 §7.1 prints, and verifies nothing else', () => {
  const seed = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
  const { privateKey, publicKey } = provider.ed25519KeyPair(seed)
  const signature = hex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  )
  const message = hex('72')
  assert.deepEqual(
    publicKey,
    hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
  )
  assert.deepEqual(provider.ed25519Sign(privateKey, message), signature)
  assert.equal(provider.ed25519Verify(publicKey, message, signature), true)
  assert.equal(provider.ed25519Verify(publicKey, hex('73'), signature), false)
  assert.equal(provider.ed25519Verify(publicKey, message, signature.subarray(1)), false)
  assert.equal(provider.ed25519Verify(publicKey.subarray(1), message, signature), false)
  assert.equal(provider.ed25519Verify(new Uint8Array(32).fill(0xff), message, signature), false)
  assert.throws(() => provider.ed25519KeyPair(new Uint8Array(33)), bug)
})

test('sha256 and hmacSha256 hash their parts as one message (FIPS 180-4, RFC 4231 §4.3)', () => {
  const abc = hex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  assert.deepEqual(provider.sha256(text('abc')), abc)
  assert.deepEqual(provider.sha256(text('a'), new Uint8Array(0), text('bc')), abc)
  const mac = hex('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  assert.deepEqual(provider.hmacSha256(text('Jefe'), text('what do ya want for nothing?')), mac)
  assert.deepEqual(
    provider.hmacSha256(text('Jefe'), text('what do ya '), text('want for nothing?')),
    mac,
  )
})

test('hkdfSha256 derives 1 to 8160 bytes', () => {
  const [ikm, nothing] = [new Uint8Array(22).fill(0x0b), new Uint8Array(0)]
  for (const bytes of [1, 8160]) {
    assert.equal(provider.hkdfSha256(ikm, nothing, nothing, bytes).length, bytes)
  }
  for (const bytes of [0, 8161]) {
    assert.throws(() => provider.hkdfSha256(ikm, nothing, nothing, bytes), bug)
  }
})

test('aes-256-gcm seals as test case 14 of the GCM paper', () => {
  const key = provider.aeadKey(new Uint8Array(32))
  const [nonce, nothing] = [new Uint8Array(12), new Uint8Array(0)]
  const sealed = provider.aeadSeal('aes-256-gcm', key, nonce, nothing, new Uint8Array(16))
  assert.deepEqual(sealed, hex('cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919'))
})

test('aeadOpen refuses a change anywhere, and input shorter than a tag', () => {
  for (const suite of ['aes-256-gcm', 'chacha20-poly1305'] as const) {
    const key = provider.aeadKey(new Uint8Array(32).fill(1))
    const [nonce, associated] = [new Uint8Array(12), Uint8Array.of(1, 2, 3)]
    const sealed = provider.aeadSeal(suite, key, nonce, associated, Uint8Array.of(4, 5))
    assert.deepEqual(provider.aeadOpen(suite, key, nonce, associated, sealed), Uint8Array.of(4, 5))
    for (const at of sealed.keys()) {
      const changed = sealed.with(at, (sealed[at] ?? 0) ^ 1)
      assert.equal(provider.aeadOpen(suite, key, nonce, associated, changed), undefined)
    }
    assert.equal(provider.aeadOpen(suite, key, nonce, Uint8Array.of(1, 2), sealed), undefined)
    assert.equal(provider.aeadOpen(suite, key, nonce.with(0, 1), associated, sealed), undefined)
    for (let length = 0; length < sealed.length; length++) {
      const cut = sealed.subarray(0, length)
      assert.equal(provider.aeadOpen(suite, key, nonce, associated, cut), undefined)
    }
    assert.throws(() => provider.aeadSeal(suite, key, new Uint8Array(8), associated, sealed), bug)
    assert.throws(() => provider.aeadKey(new Uint8Array(16)), bug)
  }
})

test('a KEM ciphertext of another length is refused, a forged one gives an unrelated secret', () => {
  const { privateKey, publicKey } = provider.kemKeyPair(new Uint8Array(64).fill(3))
  const { ciphertext, sharedSecret } = provider.kemEncapsulate(provider.kemPublicKey(publicKey))
  assert.deepEqual(provider.kemDecapsulate(privateKey, ciphertext), sharedSecret)
  const forged = provider.kemDecapsulate(privateKey, ciphertext.with(5, (ciphertext[5] ?? 0) ^ 1))
  assert.equal(forged.length, 32)
  assert.notDeepEqual(forged, sharedSecret)
  for (const bytes of [0, 1087, 1089]) {
    assert.throws(() => provider.kemDecapsulate(privateKey, new Uint8Array(bytes)), {
      code: 'CRYPTO_KEM_CIPHERTEXT',
      kind: 'peer',
    })
  }
  assert.throws(() => provider.kemKeyPair(new Uint8Array(32)), bug)
})

test('a KEM public key is refused when its length is wrong or a coefficient is not reduced', () => {
  const { publicKey } = provider.kemKeyPair(new Uint8Array(64).fill(4))
  const refused = { code: 'CRYPTO_PUBLIC_KEY', kind: 'peer' }
  for (const bytes of [0, 1183, 1185]) {
    assert.throws(() => provider.kemPublicKey(new Uint8Array(bytes)), refused)
  }
  for (const at of [0, 576, 1149]) {
    const unreduced = publicKey.slice()
    unreduced.set([0xff, 0xff, 0xff], at)
    assert.throws(() => provider.kemPublicKey(unreduced), refused, `at ${at}`)
  }
})

test('timingSafeEqual compares content and never throws on lengths', () => {
  assert.equal(provider.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true)
  assert.equal(provider.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false)
  assert.equal(provider.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1)), false)
})

test('nothing that leaves the provider is a Buffer, whose slice would not copy', () => {
  const pair = provider.x25519KeyPair(new Uint8Array(32).fill(9))
  const signing = provider.ed25519KeyPair(new Uint8Array(32).fill(9))
  const kem = provider.kemKeyPair(new Uint8Array(64).fill(9))
  const encapsulation = provider.kemEncapsulate(provider.kemPublicKey(kem.publicKey))
  const key = provider.aeadKey(new Uint8Array(32))
  const nothing = new Uint8Array(0)
  const sealed = provider.aeadSeal('aes-256-gcm', key, new Uint8Array(12), nothing, nothing)
  const outputs = [
    pair.publicKey,
    signing.publicKey,
    kem.publicKey,
    provider.x25519(pair.privateKey, pair.publicKey),
    encapsulation.ciphertext,
    encapsulation.sharedSecret,
    provider.kemDecapsulate(kem.privateKey, encapsulation.ciphertext),
    provider.sha256(),
    provider.hmacSha256(nothing),
    provider.hkdfSha256(nothing, nothing, nothing, 1),
    provider.ed25519Sign(signing.privateKey, nothing),
    sealed,
    provider.aeadOpen('aes-256-gcm', key, new Uint8Array(12), nothing, sealed),
  ]
  for (const [index, output] of outputs.entries()) {
    assert.ok(output, `${index}`)
    assert.equal(Object.getPrototypeOf(output), Uint8Array.prototype, `output ${index}`)
  }
})

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}

function text(ascii: string): Uint8Array {
  return Uint8Array.from(Buffer.from(ascii, 'ascii'))
}
