/** The small derivations of SPEC §2, §3.2, §5.2, §9.2 and the signature tags, each computed a second time on @noble/*. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  circuitPrologue,
  mac1,
  mac1Key,
  onionKeyId,
  pathToken,
  ratchetTunnelSecret,
  SIGNATURE_TAG,
  signTagged,
  tunnelMac,
  verifyTagged,
} from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { seeded } from './oracle/seeded.ts'

const random = seeded('derivations')
const nodeId = random(32)
const keyId = random(8)

function join(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(part))))
}

test('an onion key id is 8 bytes of the tagged hash (SPEC §2)', () => {
  const publicKey = random(32)
  const hash = sha256(join('byway onion key v1', publicKey))
  assert.deepEqual(onionKeyId(provider, publicKey), hash.slice(0, 8))
})

test('the prologue names node, key and position (SPEC §5.1), and only positions 1 to 3', () => {
  assert.deepEqual(
    circuitPrologue(nodeId, keyId, 2),
    join('byway/1', nodeId, keyId, Uint8Array.of(2)),
  )
  for (const position of [0, 4, Number.NaN]) {
    assert.throws(() => circuitPrologue(nodeId, keyId, position), { code: 'ASSERTION' })
  }
})

test('mac1 covers what it is given under a key of node and onion key (SPEC §5.2)', () => {
  const covered = random(100)
  const key = mac1Key(provider, nodeId, keyId)
  assert.deepEqual(key, sha256(join('byway mac1 v1', nodeId, keyId)))
  assert.deepEqual(mac1(provider, key, covered), hmac(sha256, key, covered).slice(0, 16))
})

test('a path token is 43 base64url characters of the keyed exporter (SPEC §3.2)', () => {
  const exporter = random(32)
  const mac = hmac(sha256, sha256(join('byway path v1', nodeId)), exporter)
  const token = pathToken(provider, nodeId, exporter)
  assert.equal(token, Buffer.from(mac).toString('base64url'))
  assert.equal(token.length, 43)
})

test('JOIN and JOINED are told apart, and a join moves the secret on (SPEC §9.2)', () => {
  const [secret, legHash, fields] = [random(32), random(32), random(28)]
  for (const label of ['join', 'joined'] as const) {
    const mac = hmac(sha256, secret, join(label, legHash, fields))
    assert.deepEqual(tunnelMac(provider, secret, label, legHash, fields), mac)
  }
  assert.deepEqual(
    ratchetTunnelSecret(provider, secret, legHash),
    hkdf(sha256, secret, legHash, join('byway tunnel ratchet'), 32),
  )
})

test('a signature holds for its tag, its key and its bytes only (SPEC §2)', () => {
  const { privateKey, publicKey } = provider.ed25519KeyPair(random(32))
  const other = provider.ed25519KeyPair(random(32))
  const parts = [random(5), random(7)] as const
  const signature = signTagged(provider, privateKey, SIGNATURE_TAG.descriptor, ...parts)
  const verify = (key: Uint8Array, tag: keyof typeof SIGNATURE_TAG, ...signed: Uint8Array[]) =>
    verifyTagged(provider, key, signature, SIGNATURE_TAG[tag], ...signed)
  assert.equal(verify(publicKey, 'descriptor', ...parts), true)
  assert.equal(verify(publicKey, 'descriptor', join(...parts)), true)
  assert.equal(verify(publicKey, 'linkCert', ...parts), false)
  assert.equal(verify(publicKey, 'linkProof', ...parts), false)
  assert.equal(verify(publicKey, 'descriptor', parts[0]), false)
  assert.equal(verify(other.publicKey, 'descriptor', ...parts), false)
})

test('no signature tag is the beginning of another', () => {
  const tags = Object.values(SIGNATURE_TAG)
  for (const [index, tag] of tags.entries()) {
    const others = tags.filter((_, other) => other !== index)
    assert.equal(
      others.some((other) => other.startsWith(tag)),
      false,
    )
  }
})
