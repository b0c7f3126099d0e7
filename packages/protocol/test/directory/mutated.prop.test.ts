/**
 * Descriptors with bytes changed, cut, doubled and spliced (THREAT-MODEL T12, T13): each is refused or says what was signed, and nothing throws. With `SLOW=1` there are 100 000.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { equalBytes } from '@byway/protocol/base'
import { SIGNATURE_TAG, signTagged } from '@byway/protocol/crypto'
import { createDescriptorSet } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  decodeDescriptor,
  encodeDescriptor,
  encodeUnsignedDescriptor,
  unsignedPartOf,
} from '@byway/protocol/wire'
import { id, ipv4, makeDescriptor, NOW_MS } from './registry.ts'

const numRuns = process.env['SLOW'] === '1' ? 100_000 : 3000
const ORIGINALS = [
  signed(1),
  signed(2, { attachments: [id(7), id(8)], addresses: [] }),
  signed(3, {
    addresses: [ipv4('1.2.3.4'), { family: 6, bytes: new Uint8Array(16).fill(9), port: 9 }],
    familyId: id(9),
    provider: new Uint8Array(20).fill(3),
    country: 'DE',
    software: 'byway/0.1.0',
  }),
] as const

function signed(number: number, change: Parameters<typeof makeDescriptor>[1] = {}): Uint8Array {
  const keys = nodeCrypto.ed25519KeyPair(id(number))
  const descriptor = makeDescriptor(number, { ...change, nodeId: keys.publicKey })
  const message = encodeUnsignedDescriptor(descriptor)
  const tag = SIGNATURE_TAG.descriptor
  return encodeDescriptor(descriptor, signTagged(nodeCrypto, keys.privateKey, tag, message))
}

type Change = (bytes: Uint8Array) => Uint8Array

/** A place as a share, so that it lies in bytes of any length. */
const place = fc.nat({ max: 2 ** 16 - 1 }).map((share) => share / 2 ** 16)
const original = fc.constantFrom(...ORIGINALS)
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    // Other changes seldom leave the form whole.
    weight: 12,
    arbitrary: fc
      .tuple(place, fc.integer({ min: 1, max: 255 }))
      .map(([at, mask]): Change => (bytes) => {
        const spot = Math.floor(at * bytes.length)
        return bytes.map((byte, index) => (index === spot ? byte ^ mask : byte))
      }),
  },
  place.map(
    (at): Change =>
      (bytes) =>
        bytes.slice(0, Math.floor(at * bytes.length)),
  ),
  fc
    .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 1600 }))
    .map(([at, more]): Change => (bytes) => {
      const spot = Math.floor(at * bytes.length)
      return Uint8Array.from([...bytes.slice(0, spot), ...more, ...bytes.slice(spot)])
    }),
  fc.tuple(place, place, original).map(([from, to, other]): Change => (bytes) => {
    const cut = bytes.slice(0, Math.floor(from * bytes.length))
    return Uint8Array.from([...cut, ...other.slice(Math.floor(to * other.length))])
  }),
)

test('a mutated descriptor is refused, and what is read is written the same', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(original, fc.array(change, { minLength: 1, maxLength: 3 }), (bytes, changes) => {
      const mutated = changes.reduce((now, each) => each(now), bytes)
      const set = createDescriptorSet(nodeCrypto)
      const offer = set.offer(mutated, NOW_MS)
      const why = offer.result === 'refused' ? offer.reason : offer.result
      seen.set(why, (seen.get(why) ?? 0) + 1)
      if (offer.result === 'accepted') {
        // Changes that undo each other, or one of the originals whole.
        const isSigned = ORIGINALS.some((each) =>
          equalBytes(unsignedPartOf(each), unsignedPartOf(mutated)),
        )
        assert.ok(isSigned, 'nobody signed it')
      }
      assert.equal(set.size, offer.result === 'accepted' ? 1 : 0)
      if (why === 'MALFORMED') return
      const { descriptor, signature } = decodeDescriptor(mutated)
      assert.deepEqual(encodeDescriptor(descriptor, signature), mutated)
    }),
    { numRuns },
  )
  for (const why of ['MALFORMED', 'SIGNATURE']) {
    assert.ok((seen.get(why) ?? 0) > numRuns / 20, JSON.stringify([...seen]))
  }
})

test('fifty megabytes of nothing are refused', () => {
  const set = createDescriptorSet(nodeCrypto)
  const chunks = process.env['SLOW'] === '1' ? 50 * 700 : 2000
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 292, maxLength: 1536, size: 'max' }), (bytes) => {
      assert.equal(set.offer(bytes, NOW_MS).result, 'refused')
    }),
    { numRuns: chunks },
  )
  assert.equal(set.size, 0)
})
