import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SIGNATURE_TAG, signTagged } from '@byway/protocol/crypto'
import {
  createDescriptorSet,
  MAX_EVIDENCE,
  nodeKeyOf,
  type OfferResult,
  verifyDescriptor,
} from '@byway/protocol/directory'
import {
  type Descriptor,
  encodeDescriptor,
  encodeUnsignedDescriptor,
  ROLE,
} from '@byway/protocol/wire'
import { nodeCrypto } from '../../src/crypto/node-provider.ts'
import { HOUR_MS, makeDescriptor, NOW_MS } from './registry.ts'

const identity = (number: number): ReturnType<typeof nodeCrypto.ed25519KeyPair> =>
  nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(number))

/** A descriptor that the identity of this number signed. */
function signed(number: number, change: Partial<Descriptor> = {}): Uint8Array {
  const { privateKey, publicKey } = identity(number)
  const descriptor = makeDescriptor(number, { nodeId: publicKey, ...change })
  const unsigned = encodeUnsignedDescriptor(descriptor)
  return encodeDescriptor(
    descriptor,
    signTagged(nodeCrypto, privateKey, SIGNATURE_TAG.descriptor, unsigned),
  )
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  assert.ok(at < bytes.length)
  const changed = Uint8Array.from(bytes)
  changed[at]! ^= 1
  return changed
}

const verdict = (offer: OfferResult): string =>
  offer.result === 'refused' ? offer.reason : offer.result

test('takes in what is signed, and says when it is known already', () => {
  const set = createDescriptorSet(nodeCrypto)
  const bytes = signed(1)
  assert.equal(verdict(set.offer(bytes, NOW_MS)), 'accepted')
  assert.equal(verdict(set.offer(bytes, NOW_MS)), 'known')
  assert.equal(set.size, 1)
  assert.deepEqual(set.get(nodeKeyOf(identity(1).publicKey))?.bytes, bytes)
})

test('refuses a descriptor changed in any byte', () => {
  const bytes = signed(1)
  for (let at = 0; at < bytes.length; at++) {
    const set = createDescriptorSet(nodeCrypto)
    assert.equal(set.offer(flipped(bytes, at), NOW_MS).result, 'refused', `byte ${at}`)
    assert.equal(set.size, 0)
  }
})

test('refuses what is not a descriptor, has expired, or comes from the future', () => {
  const set = createDescriptorSet(nodeCrypto)
  const bytes = signed(1)
  assert.equal(verdict(set.offer(new Uint8Array(300), NOW_MS)), 'MALFORMED')
  assert.equal(verdict(set.offer(bytes.subarray(0, -1), NOW_MS)), 'MALFORMED')
  assert.equal(verdict(set.offer(bytes, NOW_MS + 24 * HOUR_MS)), 'EXPIRED')
  assert.equal(verdict(set.offer(bytes, NOW_MS - 12 * 60_000)), 'FUTURE')
  assert.equal(verdict(set.offer(bytes, NOW_MS - 9 * 60_000)), 'accepted')
})

test('the higher sequence number wins, and an older edition never comes back (SPEC §10.1)', () => {
  const set = createDescriptorSet(nodeCrypto)
  const second = signed(1, { sequence: 2 })
  assert.equal(verdict(set.offer(signed(1), NOW_MS)), 'accepted')
  assert.equal(verdict(set.offer(second, NOW_MS)), 'accepted')
  assert.equal(verdict(set.offer(signed(1), NOW_MS)), 'OLDER')
  assert.deepEqual(
    Array.from(set.entries(), ({ bytes }) => bytes),
    [second],
  )
})

test('two editions under one number are evidence, and the first stays in use (SPEC §10.1)', () => {
  const set = createDescriptorSet(nodeCrypto)
  const first = signed(1)
  const second = signed(1, { asn: 7 })
  set.offer(first, NOW_MS)
  assert.equal(verdict(set.offer(flipped(second, second.length - 1), NOW_MS)), 'SIGNATURE')
  assert.deepEqual(set.evidence(), [])
  assert.equal(verdict(set.offer(second, NOW_MS)), 'EQUIVOCATION')
  assert.equal(verdict(set.offer(signed(1, { asn: 8 }), NOW_MS)), 'EQUIVOCATION')
  assert.deepEqual(set.evidence(), [{ key: nodeKeyOf(identity(1).publicKey), first, second }])
  assert.equal([...set.entries()][0]?.descriptor.asn, 0)
})

test('second editions cost no check of a signature once no more are kept as proofs', () => {
  let checks = 0
  const counting: typeof nodeCrypto = {
    ...nodeCrypto,
    ed25519Verify: (...of) => {
      checks++
      return nodeCrypto.ed25519Verify(...of)
    },
  }
  const set = createDescriptorSet(counting)
  for (let number = 1; number <= MAX_EVIDENCE + 1; number++) set.offer(signed(number), NOW_MS)
  for (let number = 1; number <= MAX_EVIDENCE; number++)
    assert.equal(verdict(set.offer(signed(number, { asn: 7 }), NOW_MS)), 'EQUIVOCATION')
  const before = checks
  for (let asn = 1; asn <= 100; asn++)
    assert.equal(verdict(set.offer(signed(MAX_EVIDENCE + 1, { asn }), NOW_MS)), 'EQUIVOCATION')
  assert.deepEqual([checks - before, set.evidence().length], [0, MAX_EVIDENCE])
})

test('another signature over the same contents is no second edition', () => {
  const set = createDescriptorSet(nodeCrypto)
  const bytes = signed(1)
  set.offer(bytes, NOW_MS)
  assert.equal(verdict(set.offer(flipped(bytes, bytes.length - 1), NOW_MS)), 'known')
  assert.deepEqual(set.evidence(), [])
})

test('a node publishes a few editions at once and then one in two hours (THREAT-MODEL T12)', () => {
  const set = createDescriptorSet(nodeCrypto)
  const offer = (sequence: number, nowMs: number): string =>
    verdict(set.offer(signed(1, { sequence }), nowMs))
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7].map((sequence) => offer(sequence, NOW_MS)),
    ['accepted', 'accepted', 'accepted', 'accepted', 'accepted', 'accepted', 'RATE'],
  )
  assert.equal(offer(7, NOW_MS + 7_199_000), 'RATE')
  assert.equal(offer(7, NOW_MS + 7_200_000), 'accepted')
  assert.equal(offer(8, NOW_MS + 7_200_000), 'RATE')
  assert.equal(verdict(set.offer(signed(2), NOW_MS)), 'accepted')
})

test('a forged edition does not use up the editions of a node', () => {
  const set = createDescriptorSet(nodeCrypto)
  set.offer(signed(1), NOW_MS)
  for (let sequence = 2; sequence < 20; sequence++) {
    const forged = flipped(signed(1, { sequence }), 60)
    assert.equal(verdict(set.offer(forged, NOW_MS)), 'SIGNATURE')
  }
  assert.equal(verdict(set.offer(signed(1, { sequence: 2 }), NOW_MS)), 'accepted')
})

test('count and bytes are limited, and known nodes may still publish when the count is reached', () => {
  const counted = createDescriptorSet(nodeCrypto, { maxDescriptors: 2 })
  for (const number of [1, 2])
    assert.equal(verdict(counted.offer(signed(number), NOW_MS)), 'accepted')
  assert.equal(verdict(counted.offer(signed(3), NOW_MS)), 'FULL')
  assert.equal(verdict(counted.offer(signed(2, { sequence: 2 }), NOW_MS)), 'accepted')
  const sized = createDescriptorSet(nodeCrypto, { maxBytes: 2 * signed(1).length })
  for (const number of [1, 2])
    assert.equal(verdict(sized.offer(signed(number), NOW_MS)), 'accepted')
  assert.equal(verdict(sized.offer(signed(3), NOW_MS)), 'FULL')
  assert.equal(sized.prune(NOW_MS + 25 * HOUR_MS), 2)
  const later = { publishedS: NOW_MS / 1000 + 25 * 3600, expiresS: NOW_MS / 1000 + 26 * 3600 }
  assert.equal(verdict(sized.offer(signed(3, later), NOW_MS + 25 * HOUR_MS)), 'accepted')
})

test('prune forgets what has expired and nothing else', () => {
  const set = createDescriptorSet(nodeCrypto)
  set.offer(signed(1), NOW_MS)
  set.offer(signed(2, { expiresS: NOW_MS / 1000 + 10 }), NOW_MS)
  assert.equal(set.prune(NOW_MS + 9999), 0)
  assert.equal(set.prune(NOW_MS + 10_000), 1)
  assert.equal(set.size, 1)
})

test('listeners hear of each accepted edition once, until they stop', () => {
  const set = createDescriptorSet(nodeCrypto)
  const heard: number[] = []
  const stop = set.onAccepted(({ descriptor }) => heard.push(descriptor.sequence))
  set.offer(signed(1), NOW_MS)
  set.offer(signed(1), NOW_MS)
  set.offer(signed(1, { sequence: 2 }), NOW_MS)
  stop()
  set.offer(signed(1, { sequence: 3 }), NOW_MS)
  assert.deepEqual(heard, [1, 2])
})

test('entries are found by role', () => {
  const set = createDescriptorSet(nodeCrypto)
  set.offer(signed(1, { roles: ROLE.RELAY }), NOW_MS)
  set.offer(signed(2, { roles: ROLE.EXIT }), NOW_MS)
  set.offer(signed(3, { roles: ROLE.RELAY | ROLE.EXIT }), NOW_MS)
  const count = (roles?: number): number => [...set.entries(roles)].length
  assert.deepEqual([count(), count(ROLE.RELAY), count(ROLE.EXIT), count(3)], [3, 2, 2, 1])
})

test('the caller’s buffer may be used again after an offer', () => {
  const set = createDescriptorSet(nodeCrypto)
  const buffer = signed(1)
  const copy = Uint8Array.from(buffer)
  set.offer(buffer, NOW_MS)
  buffer.fill(0)
  assert.equal(verdict(set.offer(copy, NOW_MS)), 'known')
})

test('one descriptor can be verified without a set, as for a stale key (SPEC §5.4)', () => {
  const bytes = signed(1)
  assert.equal(verifyDescriptor(nodeCrypto, bytes, NOW_MS).result, 'valid')
  const fault = (input: Uint8Array, nowMs = NOW_MS): string => {
    const judged = verifyDescriptor(nodeCrypto, input, nowMs)
    return judged.result === 'refused' ? judged.reason : judged.result
  }
  assert.equal(fault(flipped(bytes, 60)), 'SIGNATURE')
  assert.equal(fault(bytes.subarray(1)), 'MALFORMED')
  assert.equal(fault(bytes, NOW_MS + 24 * HOUR_MS), 'EXPIRED')
})

test('takes in only what has a stake, and forgets it when the stake goes (SPEC §10.2)', () => {
  const staked = new Set<string>()
  const admits = ({ nodeId }: { readonly nodeId: Uint8Array }): boolean =>
    staked.has(nodeKeyOf(nodeId))
  const set = createDescriptorSet(nodeCrypto, { admits })
  assert.equal(verdict(set.offer(signed(1), NOW_MS)), 'STAKE')
  staked.add(nodeKeyOf(identity(1).publicKey))
  assert.equal(verdict(set.offer(signed(1), NOW_MS)), 'accepted')
  assert.equal(set.prune(NOW_MS), 0)
  staked.clear()
  assert.equal(set.prune(NOW_MS), 1)
  assert.equal(set.size, 0)
})

test('twenty thousand strangers who sign for themselves fill nothing: they have no stake', () => {
  const bytes = signed(1)
  let verified = 0
  const counting = { ...nodeCrypto, ed25519Verify: () => (verified++, true) }
  const watched = createDescriptorSet(counting, { admits: () => false })
  for (let stranger = 0; stranger < 20_000; stranger++) {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    view.setUint32(1, stranger)
    assert.equal(verdict(watched.offer(bytes, NOW_MS)), 'STAKE')
  }
  assert.deepEqual([watched.size, verified], [0, 0])
})

test('says what is new since a time, oldest first, a renewed edition at its new place', () => {
  const set = createDescriptorSet(nodeCrypto)
  set.offer(signed(1), NOW_MS)
  set.offer(signed(2), NOW_MS + 1000)
  set.offer(signed(1, { sequence: 2 }), NOW_MS + 2000)
  const since = (atMs: number): readonly (number | undefined)[] =>
    set.acceptedSince(atMs).map(({ descriptor }) => descriptor.sequence)
  assert.deepEqual(since(0), [1, 2])
  assert.deepEqual(since(NOW_MS + 1001), [2])
  assert.deepEqual(since(NOW_MS + 2001), [])
})
