import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isBywayError } from '@byway/protocol/base'
import {
  MESSAGE1_OVERHEAD_BYTES,
  MESSAGE2_OVERHEAD_BYTES,
  peekEphemeral,
  respond,
  startInitiator,
  type Initiator,
  type Responder,
  type X25519KeyPair,
} from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { probe } from './oracle/probe.ts'
import { seeded } from './oracle/seeded.ts'

const random = seeded('circuit-handshake')
const staticKey = provider.x25519KeyPair(random(32))
const prologue = random(20)
const empty = new Uint8Array(0)

function start(remoteStatic = staticKey.publicKey, ownPrologue = prologue): Initiator {
  const [ephemeralSecret, kemSeed] = [random(32), random(64)]
  return startInitiator({
    provider,
    prologue: ownPrologue,
    remoteStatic,
    ephemeralSecret,
    kemSeed,
  })
}

function receive(message1: Uint8Array, key: X25519KeyPair = staticKey): Responder {
  return respond({ provider, prologue, staticKey: key, message1 })
}

test('both sides end with the payloads, the same hash and the same four keys (SPEC §5.5)', () => {
  const client = start()
  const hop = receive(client.message1(Uint8Array.of(1, 2, 3)))
  const answer = hop.answer(Uint8Array.of(4), random(32))
  const end = client.finish(answer.message2)
  assert.deepEqual(hop.payload, Uint8Array.of(1, 2, 3))
  assert.deepEqual(end.payload, Uint8Array.of(4))
  assert.deepEqual(end.handshakeHash, answer.handshakeHash)
  assert.equal(probe(end.keys.forward), probe(answer.keys.forward))
  assert.equal(probe(end.keys.backward), probe(answer.keys.backward))
  assert.notEqual(probe(end.keys.forward), probe(end.keys.backward))
  assert.deepEqual(end.keys.bind, answer.keys.bind)
  assert.deepEqual(end.keys.tunnelSecret, answer.keys.tunnelSecret)
  assert.notDeepEqual(end.keys.bind, end.keys.tunnelSecret)
})

test('message 1 is 1248 and message 2 1152 bytes longer than its payload (SPEC §5.1)', () => {
  for (const payloadBytes of [0, 6, 2598]) {
    const client = start()
    const message1 = client.message1(new Uint8Array(payloadBytes))
    assert.equal(message1.length, 1248 + payloadBytes)
    assert.equal(MESSAGE1_OVERHEAD_BYTES, 1248)
    const { message2 } = receive(message1).answer(new Uint8Array(payloadBytes), random(32))
    assert.equal(message2.length, 1152 + payloadBytes)
    assert.equal(MESSAGE2_OVERHEAD_BYTES, 1152)
    assert.equal(client.finish(message2).payload.length, payloadBytes)
  }
})

test('a hop may answer one handshake after having read others', () => {
  const clients = [start(), start(), start()]
  const hops = clients.map((client, index) => receive(client.message1(Uint8Array.of(index))))
  const answers = hops.toReversed().map((hop) => hop.answer(hop.payload, random(32)))
  for (const [index, client] of clients.entries()) {
    const answer = answers.at(-1 - index)
    assert.ok(answer)
    assert.deepEqual(client.finish(answer.message2).payload, Uint8Array.of(index))
  }
})

test('the ephemeral for the replay filter is the first field, known before and after reading', () => {
  const message1 = start().message1(empty)
  assert.deepEqual(peekEphemeral(message1), message1.slice(0, 32))
  assert.deepEqual(receive(message1).ephemeral, message1.slice(0, 32))
  assert.equal(peekEphemeral(message1.subarray(1)), undefined)
})

test('a handshake for another prologue or another onion key is refused', () => {
  const other = provider.x25519KeyPair(random(32))
  const foreignPrologue = start(staticKey.publicKey, random(20)).message1(empty)
  assert.throws(() => receive(foreignPrologue), { code: 'CRYPTO_HANDSHAKE_REFUSED', kind: 'peer' })
  const message1 = start().message1(empty)
  assert.throws(() => receive(message1, other), { code: 'CRYPTO_HANDSHAKE_REFUSED', kind: 'peer' })
})

test('an answer to another message 1 is refused, and the client cannot go on', () => {
  const [client, stranger] = [start(), start()]
  client.message1(empty)
  const { message2 } = receive(stranger.message1(empty)).answer(empty, random(32))
  assert.throws(() => client.finish(message2), { code: 'CRYPTO_HANDSHAKE_REFUSED', kind: 'peer' })
  assert.throws(() => client.finish(message2), { code: 'ASSERTION', kind: 'bug' })
})

test('every step works once and in order only', () => {
  const bug = { code: 'ASSERTION', kind: 'bug' }
  assert.throws(() => start().finish(new Uint8Array(1152)), bug)
  const client = start()
  const message1 = client.message1(empty)
  const hop = receive(message1)
  const { message2 } = hop.answer(empty, random(32))
  assert.throws(() => hop.answer(empty, random(32)), bug)
  client.finish(message2)
  assert.throws(() => client.finish(message2), bug)
  assert.throws(() => client.message1(empty), bug)
  const eager = start()
  eager.message1(empty)
  assert.throws(() => eager.message1(empty), bug)
})

test('wrong amounts of random bytes are a bug, never a weaker handshake', () => {
  const bug = { code: 'ASSERTION', kind: 'bug' }
  const options = { provider, prologue, remoteStatic: staticKey.publicKey }
  const shortE = startInitiator({ ...options, ephemeralSecret: random(31), kemSeed: random(64) })
  assert.throws(() => shortE.message1(empty), bug)
  const shortKem = startInitiator({ ...options, ephemeralSecret: random(32), kemSeed: random(32) })
  assert.throws(() => shortKem.message1(empty), bug)
  assert.throws(() => receive(start().message1(empty)).answer(empty, random(33)), bug)
})

test('a message 1 whose ephemeral is a point of low order is refused', () => {
  const message1 = start().message1(empty)
  for (const point of LOW_ORDER_POINTS) {
    message1.set(Buffer.from(point, 'hex'))
    assert.throws(() => receive(message1), { code: 'CRYPTO_PUBLIC_KEY', kind: 'peer' }, point)
  }
})

test('an onion key of low order cannot be spoken to', () => {
  const point = Uint8Array.from(Buffer.from(LOW_ORDER_POINTS[1] ?? '', 'hex'))
  assert.throws(() => start(point).message1(empty), { code: 'CRYPTO_PUBLIC_KEY', kind: 'peer' })
})

test('a sealed but unreduced KEM key is refused before anything is encapsulated to it', () => {
  const client = startInitiator({
    provider: {
      ...provider,
      kemKeyPair(seed) {
        const pair = provider.kemKeyPair(seed)
        return { ...pair, publicKey: pair.publicKey.fill(0xff, 0, 3) }
      },
    },
    prologue,
    remoteStatic: staticKey.publicKey,
    ephemeralSecret: random(32),
    kemSeed: random(64),
  })
  const message1 = client.message1(empty)
  assert.throws(() => receive(message1), { code: 'CRYPTO_PUBLIC_KEY', kind: 'peer' })
})

const FLIPS = process.env['SLOW'] === '1' ? 100_000 : 1000

test('a message of any other length is refused with a peer error', () => {
  const client = start()
  const message1 = client.message1(Uint8Array.of(7, 7))
  const { message2 } = receive(message1).answer(Uint8Array.of(8), random(32))
  const lengths = fc.integer({ min: 0, max: 70_000 })
  fc.assert(
    fc.property(lengths, (length) => {
      fc.pre(length !== message1.length)
      const resized = new Uint8Array(length)
      resized.set(message1.subarray(0, length))
      assertPeerError(() => receive(resized))
    }),
    { numRuns: FLIPS },
  )
  for (const length of [0, 31, 32, 1135, 1136, 1151, 1152, message2.length + 1, 65_536]) {
    const fresh = start()
    fresh.message1(empty)
    const resized = new Uint8Array(length)
    resized.set(message2.subarray(0, length))
    assertPeerError(() => fresh.finish(resized))
  }
})

test('any flipped bit of message 1 is refused', () => {
  const message1 = start().message1(random(40))
  fc.assert(
    fc.property(fc.nat(message1.length * 8 - 1), (bit) => {
      assertPeerError(() => receive(flip(message1, bit)))
    }),
    { numRuns: FLIPS },
  )
})

test('the one bit that X25519 ignores is still covered by the hash', () => {
  const changed = flip(start().message1(empty), UNUSED_BIT_OF_E)
  assert.throws(() => receive(changed), { code: 'CRYPTO_HANDSHAKE_REFUSED' })
})

test('any flipped bit of message 2 is refused', () => {
  const template = seeded('flips of message 2')(96)
  const begin = (): Initiator => {
    const client = startInitiator({
      provider,
      prologue,
      remoteStatic: staticKey.publicKey,
      ephemeralSecret: template.subarray(0, 32),
      kemSeed: template.subarray(32),
    })
    client.message1(empty)
    return client
  }
  const message1 = startInitiator({
    provider,
    prologue,
    remoteStatic: staticKey.publicKey,
    ephemeralSecret: template.subarray(0, 32),
    kemSeed: template.subarray(32),
  }).message1(empty)
  const { message2 } = receive(message1).answer(random(40), random(32))
  assert.equal(begin().finish(message2).payload.length, 40)
  fc.assert(
    fc.property(fc.nat(message2.length * 8 - 1), (bit) => {
      assertPeerError(() => begin().finish(flip(message2, bit)))
    }),
    { numRuns: FLIPS },
  )
})

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice()
  const at = bit >>> 3
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7))
  return changed
}

function assertPeerError(action: () => unknown): void {
  assert.throws(action, (error) => isBywayError(error) && error.kind === 'peer')
}

/** RFC 7748 §5: the top bit of the last byte of a u-coordinate is masked. */
const UNUSED_BIT_OF_E = 255

/** Little-endian u-coordinates of order 1, 2, 4 and 8, and unreduced forms of 0 and 1. */
const LOW_ORDER_POINTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]
