/** Public vectors of Debian packages on our wrappers: NIST's, the RFCs', BoringSSL's, OpenSSL's, flynn/noise's, and Wycheproof's for the curves. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { concatBytes, isAllZero } from '@byway/protocol/base'
import { NONCE_BYTES, TAG_BYTES } from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { checkAead, orRefused, testCases, type AeadCase } from './oracle/check-case.ts'
import {
  assertChangesRefused,
  BASIC_PATTERNS,
  patternNameOf,
  replay,
  type NoiseCase,
} from './oracle/noise-replay.ts'
import {
  bytesOf,
  judgePackage,
  PACKAGES,
  parseCases,
  withPackage,
  type PackagedCase,
} from './oracle/packaged-vectors.ts'

withPackage('python3-cryptography-vectors', (read) => {
  const suite = (
    file: string,
    first: string,
    least: number,
    check: (one: PackagedCase) => void,
  ): void => testCases(file, least, () => parseCases(read(file), first), check)

  for (const [file, valid, forged] of [
    ['gcmDecrypt256', 184, 191],
    ['gcmEncryptExtIV256', 375, 0],
  ] as const) {
    const path = `ciphers/AES/GCM/${file}.rsp`
    suite(path, 'count', 7875, (one) => checkAead('aes-256-gcm', nistCase(one)))
    test(`${path}: ${valid} valid and ${forged} forged cases have our nonce and tag`, () => {
      const ours = parseCases(read(path), 'count')
        .map(nistCase)
        .filter((one) => one.nonce.length === NONCE_BYTES && one.tag.length === TAG_BYTES)
      const opened = ours.filter((one) => one.plaintext)
      assert.deepEqual([opened.length, ours.length - opened.length], [valid, forged])
    })
  }
  const chacha = 'ciphers/ChaCha20Poly1305'
  suite(`${chacha}/boringssl.txt`, 'count', 66, (one) =>
    checkAead('chacha20-poly1305', boringsslCase(one)),
  )
  suite(`${chacha}/openssl.txt`, 'count', 5, (one) =>
    checkAead('chacha20-poly1305', opensslCase(one)),
  )
  suite('KDF/rfc-5869-HKDF-SHA256.txt', 'count', 3, checkHkdf)
  suite('KDF/hkdf-generated.txt', 'count', 1, checkHkdf)
  suite('HMAC/rfc-4231-sha256.txt', 'len', 6, checkHmac)
  suite('hashes/SHA2/SHA256ShortMsg.rsp', 'len', 65, checkSha256)
  suite('hashes/SHA2/SHA256LongMsg.rsp', 'len', 64, checkSha256)
  suite('asymmetric/X25519/rfc7748.txt', 'count', 3, checkX25519)

  const signatures = 'asymmetric/Ed25519/sign.input'
  const readLines = () => read(signatures).split('\n').filter(Boolean)
  testCases(signatures, 1024, readLines, checkEd25519)
})

withPackage('golang-github-flynn-noise-dev', (read) => {
  const readCases = (): readonly NoiseCase[] =>
    parseCases(read('vectors.txt'), 'handshake')
      .filter((one) => /^Noise_[NKXI]{1,2}_25519_ChaChaPoly_SHA256$/.test(one['handshake'] ?? ''))
      .map(flynnCase)

  testCases('flynn/noise', 60, readCases, (one) => replay(one, 'initiator first'))
  test('flynn/noise holds all 15 basic patterns, four times each', () => {
    const names = readCases().map(patternNameOf).toSorted()
    const wanted = Object.keys(BASIC_PATTERNS).flatMap((name) => [name, name, name, name])
    assert.deepEqual(names, wanted.toSorted())
  })
  test('a changed handshake message of flynn/noise is refused by the next message at the latest', (t) => {
    const refused = readCases().map(assertChangesRefused)
    t.diagnostic(`flynn/noise, changed: ${refused.reduce((sum, count) => sum + count, 0)} cases`)
  })
})

withPackage('golang-github-cloudflare-circl-dev', (read) => {
  const x25519 = 'dh/x25519/testdata/wycheproof_kat.json'
  const readCurve = () => JSON.parse(read(x25519)) as readonly PackagedCase[]
  testCases(`wycheproof ${x25519}`, 87, readCurve, checkWycheproofX25519)

  const ed25519 = 'sign/ed25519/testdata/wycheproof_Ed25519.json'
  const readSignatures = () => signatureCases(JSON.parse(read(ed25519)) as WycheproofSignatures)
  testCases(`wycheproof ${ed25519}`, 145, readSignatures, ({ publicKey, one }) => {
    const isValid = provider.ed25519Verify(publicKey, bytesOf(one, 'msg'), bytesOf(one, 'sig'))
    assert.equal(isValid, one['result'] === 'valid')
  })
})

test('a missing package is a failure where vectors are required, and a misspelt demand an error', () => {
  assert.equal(judgePackage(true, undefined), 'run')
  assert.equal(judgePackage(true, 'required'), 'run')
  assert.equal(judgePackage(false, undefined), 'skip')
  assert.equal(judgePackage(false, 'required'), 'fail')
  for (const demand of ['', '1', 'require']) {
    assert.throws(() => judgePackage(true, demand), /BYWAY_VECTORS/)
  }
})

test('CI installs each package that holds vectors, and requires them', () => {
  const script = readFileSync(new URL('../../../../.ci/run', import.meta.url), 'utf8')
  const installed = /^PACKAGES=\(([^)]*)\)/m.exec(script)?.[1]?.split(/\s+/) ?? []
  for (const name of Object.keys(PACKAGES)) assert.ok(installed.includes(name), name)
  assert.match(script, /^export .*\bBYWAY_VECTORS=required\b/m)
})

test('a case is cut at its first field, and neither a field nor a value is read twice or half', () => {
  const text =
    '# note\r\n[Len = 8]\r\nSeed = 01\r\n\r\nCount = 0\r\nIn= "a=b"\r\nOut =\r\nFAIL\r\n\r\nCount = 1\r\nIn = 0g\r\n'
  const [first, second] = parseCases(text, 'count')
  assert.deepEqual(first, { count: '0', in: '"a=b"', out: '', fail: '' })
  assert.ok(first && second)
  assert.deepEqual(bytesOf(first, 'in'), Uint8Array.of(0x61, 0x3d, 0x62))
  assert.deepEqual(bytesOf(first, 'out'), new Uint8Array(0))
  assert.throws(() => bytesOf(second, 'in'), /not hex/)
  assert.throws(() => bytesOf(second, 'out'), /has no out/)
  assert.throws(() => parseCases('count=1\nin=00\nin=01', 'count'), /two fields in/)
})

function nistCase(one: PackagedCase): AeadCase {
  return {
    key: bytesOf(one, 'key'),
    nonce: bytesOf(one, 'iv'),
    associated: bytesOf(one, 'aad'),
    plaintext: 'fail' in one ? undefined : bytesOf(one, 'pt'),
    ciphertext: bytesOf(one, 'ct'),
    tag: bytesOf(one, 'tag'),
  }
}

function boringsslCase(one: PackagedCase): AeadCase {
  return {
    key: bytesOf(one, 'key'),
    nonce: bytesOf(one, 'nonce'),
    associated: bytesOf(one, 'ad'),
    plaintext: bytesOf(one, 'in'),
    ciphertext: bytesOf(one, 'ct'),
    tag: bytesOf(one, 'tag'),
  }
}

function opensslCase(one: PackagedCase): AeadCase {
  return {
    key: bytesOf(one, 'key'),
    nonce: bytesOf(one, 'iv'),
    associated: bytesOf(one, 'aad'),
    plaintext: 'result' in one ? undefined : bytesOf(one, 'plaintext'),
    ciphertext: bytesOf(one, 'ciphertext'),
    tag: bytesOf(one, 'tag'),
  }
}

function checkHkdf(one: PackagedCase): void {
  const [ikm, salt, info] = [bytesOf(one, 'ikm'), bytesOf(one, 'salt'), bytesOf(one, 'info')]
  assert.equal(one['hash'], 'SHA-256')
  assert.deepEqual(provider.hkdfSha256(ikm, salt, info, Number(one['l'])), bytesOf(one, 'okm'))
  // RFC 5869 §2.2: the extracted key is an HMAC.
  if ('prk' in one) assert.deepEqual(provider.hmacSha256(salt, ikm), bytesOf(one, 'prk'))
}

function checkHmac(one: PackagedCase): void {
  assert.deepEqual(
    provider.hmacSha256(bytesOf(one, 'key'), bytesOf(one, 'msg')),
    bytesOf(one, 'md'),
  )
}

/** `Len` counts bits; NIST writes an empty message as one byte. */
function checkSha256(one: PackagedCase): void {
  const message = bytesOf(one, 'msg').subarray(0, Number(one['len']) / 8)
  assert.deepEqual(provider.sha256(message), bytesOf(one, 'md'))
}

function checkX25519(one: PackagedCase): void {
  const { privateKey } = provider.x25519KeyPair(bytesOf(one, 'input_scalar'))
  assert.deepEqual(provider.x25519(privateKey, bytesOf(one, 'input_u')), bytesOf(one, 'output_u'))
}

/** RFC 7748 §6.1 leaves an all-zero secret to the protocol; ours refuses it. */
function checkWycheproofX25519(one: PackagedCase): void {
  const { privateKey } = provider.x25519KeyPair(bytesOf(one, 'private'))
  const shared = bytesOf(one, 'shared')
  const result = orRefused(() => provider.x25519(privateKey, bytesOf(one, 'public')))
  assert.deepEqual(result, isAllZero(shared) ? undefined : shared)
}

type WycheproofSignatures = {
  readonly testGroups: readonly {
    readonly key: PackagedCase
    readonly tests: readonly PackagedCase[]
  }[]
}

function signatureCases({ testGroups }: WycheproofSignatures) {
  return testGroups.flatMap(({ key, tests }) =>
    tests.map((one) => ({ publicKey: bytesOf(key, 'pk'), one })),
  )
}

/** `seed ‖ public key : public key : message : signature ‖ message :` */
function checkEd25519(line: string): void {
  const [secret = '', publicHex = '', messageHex = '', signedHex = ''] = line.split(':')
  const { privateKey, publicKey } = provider.ed25519KeyPair(hex(secret).slice(0, 32))
  assert.deepEqual(publicKey, hex(publicHex))
  const message = hex(messageHex)
  const signature = provider.ed25519Sign(privateKey, message)
  assert.deepEqual(concatBytes(signature, message), hex(signedHex))
  assert.equal(provider.ed25519Verify(publicKey, message, signature), true)
  const changed = signature.with(0, (signature[0] ?? 0) ^ 1)
  assert.equal(provider.ed25519Verify(publicKey, message, changed), false)
}

/** flynn/noise gives both sides one prologue, and secrets only. */
function flynnCase(one: PackagedCase): NoiseCase {
  const { init_static: initiator, resp_static: responder } = one
  const count = Object.keys(one).filter((name) => /^msg_\d+_payload$/.test(name)).length
  return {
    protocol_name: one['handshake'] ?? '',
    init_prologue: one['prologue'] ?? '',
    resp_prologue: one['prologue'] ?? '',
    init_static: initiator,
    resp_static: responder,
    init_remote_static: responder && publicHexOf(responder),
    resp_remote_static: initiator && publicHexOf(initiator),
    init_ephemeral: one['gen_init_ephemeral'],
    resp_ephemeral: one['gen_resp_ephemeral'],
    messages: Array.from({ length: count }, (_, turn) => [
      one[`msg_${turn}_payload`] ?? '',
      one[`msg_${turn}_ciphertext`] ?? '',
    ]),
  }
}

function publicHexOf(secret: string): string {
  return Buffer.from(provider.x25519KeyPair(hex(secret)).publicKey).toString('hex')
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}
