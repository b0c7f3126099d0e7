/** Values printed in RFC 7748, RFC 8439 and RFC 5869, on our wrappers: public vectors that run wherever the tests run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'

test('x25519 gives the results of RFC 7748 §5.2, the top bit of a coordinate masked', () => {
  for (const [scalar, coordinate, result] of [
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
  ] as const) {
    const { privateKey } = provider.x25519KeyPair(hex(scalar))
    assert.deepEqual(provider.x25519(privateKey, hex(coordinate)), hex(result))
  }
})

test('x25519 gives the results of RFC 7748 §5.2 after 1 and 1000 iterations', () => {
  let [scalar, coordinate] = [hex('09'.padEnd(64, '0')), hex('09'.padEnd(64, '0'))]
  for (let round = 1; round <= 1000; round++) {
    const { privateKey } = provider.x25519KeyPair(scalar)
    const result = provider.x25519(privateKey, coordinate)
    coordinate = scalar
    scalar = result
    if (round === 1) {
      const first = '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079'
      assert.deepEqual(result, hex(first))
    }
  }
  const last = '684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51'
  assert.deepEqual(scalar, hex(last))
})

test('x25519 makes the public keys and the shared secret of RFC 7748 §6.1', () => {
  const alice = provider.x25519KeyPair(
    hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
  )
  const bob = provider.x25519KeyPair(
    hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
  )
  const shared = hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  assert.deepEqual(
    alice.publicKey,
    hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'),
  )
  assert.deepEqual(
    bob.publicKey,
    hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'),
  )
  assert.deepEqual(provider.x25519(alice.privateKey, bob.publicKey), shared)
  assert.deepEqual(provider.x25519(bob.privateKey, alice.publicKey), shared)
})

test('chacha20-poly1305 seals and opens as RFC 8439 §2.8.2', () => {
  const key = provider.aeadKey(range(0x80, 0x9f))
  const nonce = concatBytes(hex('07000000'), range(0x40, 0x47))
  const associated = concatBytes(range(0x50, 0x53), range(0xc0, 0xc7))
  const plaintext = utf8Bytes(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  )
  const published = hex(
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
      '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
      '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
      '3ff4def08e4b7a9de576d26586cec64b6116' +
      '1ae10b594f09e26a7e902ecbd0600691',
  )
  const suite = 'chacha20-poly1305'
  assert.deepEqual(provider.aeadSeal(suite, key, nonce, associated, plaintext), published)
  assert.deepEqual(provider.aeadOpen(suite, key, nonce, associated, published), plaintext)
  const changed = published.with(0, 0xd2)
  assert.equal(provider.aeadOpen(suite, key, nonce, associated, changed), undefined)
})

test('hkdfSha256 extracts and derives as RFC 5869 A.1, A.2 and A.3', () => {
  const [ikm, nothing] = [new Uint8Array(22).fill(0x0b), new Uint8Array(0)]
  for (const [input, salt, info, prk, okm] of [
    [
      ikm,
      range(0x00, 0x0c),
      range(0xf0, 0xf9),
      '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      range(0x00, 0x4f),
      range(0x60, 0xaf),
      range(0xb0, 0xff),
      '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09' +
        'da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    ],
    [
      ikm,
      nothing,
      nothing,
      '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
  ] as const) {
    assert.deepEqual(provider.hmacSha256(salt, input), hex(prk))
    assert.deepEqual(provider.hkdfSha256(input, salt, info, okm.length / 2), hex(okm))
  }
})

/** The bytes from `first` to `last`, both included. */
function range(first: number, last: number): Uint8Array {
  return Uint8Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}
