/** Two independent implementations of SPEC §5.1 agree: ours on node:crypto, the oracle on @noble/*. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { x25519 } from '@noble/curves/ed25519.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { respond, startInitiator, type CryptoProvider } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { makeNkhfsVector, type NkhfsVector } from './oracle/make-nkhfs-vectors.ts'
import { oracleInitiator, oracleResponder, type OracleKeys } from './oracle/noble-nkhfs.ts'
import { probe } from './oracle/probe.ts'
import { below, seeded } from './oracle/seeded.ts'
import type { HandshakeResult } from '@byway/protocol/crypto'

const FILE = new URL('../../../../vectors/noise-nkhfs.json', import.meta.url)
const SEED = process.env['SEED'] ?? 'nkhfs interop 1'
const RUNS = process.env['SLOW'] === '1' ? 10_000 : 200

const { vectors } = JSON.parse(readFileSync(FILE, 'utf8')) as { vectors: readonly NkhfsVector[] }

test('the 20 frozen vectors replay on our code, both sides, byte for byte', () => {
  assert.equal(vectors.length, 20)
  for (const vector of vectors) {
    const hop = respond({
      provider: withEncapsulationSeed(bytes(vector, 'encapsulationSeed')),
      prologue: bytes(vector, 'prologue'),
      staticKey: nodeCrypto.x25519KeyPair(bytes(vector, 'staticSecret')),
      message1: bytes(vector, 'message1'),
    })
    assert.deepEqual(hop.payload, bytes(vector, 'payload1'))
    const answer = hop.answer(bytes(vector, 'payload2'), bytes(vector, 'responderEphemeral'))
    assert.deepEqual(answer.message2, bytes(vector, 'message2'))
    assertVectorKeys(answer, vector)

    const client = startInitiator({
      provider: nodeCrypto,
      prologue: bytes(vector, 'prologue'),
      remoteStatic: bytes(vector, 'staticPublic'),
      ephemeralSecret: bytes(vector, 'initiatorEphemeral'),
      kemSeed: bytes(vector, 'kemSeed'),
    })
    assert.deepEqual(client.message1(bytes(vector, 'payload1')), bytes(vector, 'message1'))
    const end = client.finish(bytes(vector, 'message2'))
    assert.deepEqual(end.payload, bytes(vector, 'payload2'))
    assertVectorKeys(end, vector)
  }
})

test('the oracle still makes the frozen vectors from their seeds', () => {
  for (const [index, vector] of vectors.entries()) assert.deepEqual(makeNkhfsVector(index), vector)
})

test(`our client and the oracle's hop agree over ${RUNS} runs (seed: ${SEED})`, () => {
  const random = seeded(`${SEED} client`)
  for (let run = 0; run < RUNS; run++) {
    const prologue = random(below(random, 48))
    const staticSecret = random(32)
    const [payload1, payload2] = [random(below(random, 2600)), random(below(random, 2600))]
    const client = startInitiator({
      provider: nodeCrypto,
      prologue,
      remoteStatic: x25519.getPublicKey(staticSecret),
      ephemeralSecret: random(32),
      kemSeed: random(64),
    })
    const hop = oracleResponder(prologue, staticSecret, client.message1(payload1))
    assert.deepEqual(hop.payload, payload1, `run ${run}`)
    const answer = hop.answer(payload2, random(32), random(32))
    const end = client.finish(answer.message2)
    assert.deepEqual(end.payload, payload2, `run ${run}`)
    assertSameKeys(end, answer)
  }
})

test(`the oracle's client and our hop agree over ${RUNS} runs (seed: ${SEED})`, () => {
  const random = seeded(`${SEED} hop`)
  for (let run = 0; run < RUNS; run++) {
    const prologue = random(below(random, 48))
    const staticKey = nodeCrypto.x25519KeyPair(random(32))
    const [payload1, payload2] = [random(below(random, 2600)), random(below(random, 2600))]
    const client = oracleInitiator(prologue, staticKey.publicKey, random(32), random(64), payload1)
    const hop = respond({ provider: nodeCrypto, prologue, staticKey, message1: client.message1 })
    assert.deepEqual(hop.payload, payload1, `run ${run}`)
    const answer = hop.answer(payload2, random(32))
    const end = client.finish(answer.message2)
    assert.deepEqual(end.payload, payload2, `run ${run}`)
    assertSameKeys(answer, end)
  }
})

/** Our provider with the one thing that Node keeps to itself: the bytes of the encapsulation. */
function withEncapsulationSeed(seed: Uint8Array): CryptoProvider {
  let raw: Uint8Array | undefined
  return {
    ...nodeCrypto,
    kemPublicKey(publicKey) {
      raw = publicKey
      return nodeCrypto.kemPublicKey(publicKey)
    },
    kemEncapsulate() {
      assert.ok(raw)
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(raw, seed)
      return { ciphertext: cipherText, sharedSecret }
    },
  }
}

function assertSameKeys(ours: HandshakeResult, oracle: OracleKeys): void {
  assert.deepEqual(ours.handshakeHash, oracle.handshakeHash)
  assert.equal(probe(ours.keys.forward), probe(oracle.forward))
  assert.equal(probe(ours.keys.backward), probe(oracle.backward))
  assert.deepEqual(ours.keys.bind, oracle.bind)
  assert.deepEqual(ours.keys.tunnelSecret, oracle.tunnelSecret)
}

function assertVectorKeys(ours: HandshakeResult, vector: NkhfsVector): void {
  assertSameKeys(ours, {
    handshakeHash: bytes(vector, 'handshakeHash'),
    forward: bytes(vector, 'forward'),
    backward: bytes(vector, 'backward'),
    bind: bytes(vector, 'bind'),
    tunnelSecret: bytes(vector, 'tunnelSecret'),
  })
}

function bytes(vector: NkhfsVector, field: string): Uint8Array {
  const hex = vector[field]
  assert.ok(hex !== undefined, `a vector without ${field}`)
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
