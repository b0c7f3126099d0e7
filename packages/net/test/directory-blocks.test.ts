import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { encodeDescriptor } from '@byway/protocol/wire'
import { MAX_UNPACKED_BYTES, packDirectory, unpackDirectory } from '../src/directory-blocks.ts'

const BLOCK_BYTES = 16_000

test('what was packed is unpacked in the same order, in blocks that fit (SPEC §10.2)', () => {
  const list = fc.array(fc.uint8Array({ minLength: 1, maxLength: 1536, size: 'max' }), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(list, (descriptors) => {
      const blocks = [...packDirectory(descriptors, BLOCK_BYTES)]
      for (const block of blocks) assert.ok(block.length <= BLOCK_BYTES)
      assert.deepEqual(
        blocks.flatMap((block) => unpackDirectory(block) ?? [Uint8Array.of()]),
        descriptors,
      )
    }),
    { numRuns: 100 },
  )
})

test('a block that unpacks to more than it may is none: a bomb of a few bytes costs nothing', () => {
  const bomb = deflateRawSync(Buffer.alloc(50 * 1024 * 1024))
  assert.equal(unpackDirectory(bomb), undefined)
  assert.equal(unpackDirectory(deflateRawSync(Buffer.alloc(MAX_UNPACKED_BYTES + 1, 1))), undefined)
})

test('any bytes unpack or are no block', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const list = unpackDirectory(bytes)
      assert.ok(list === undefined || list.every(({ length }) => length <= MAX_UNPACKED_BYTES))
    }),
    { numRuns: 500 },
  )
  const cut = [...packDirectory([new Uint8Array(300).fill(7)], BLOCK_BYTES)][0]?.subarray(0, -3)
  assert.ok(cut)
  assert.equal(unpackDirectory(cut), undefined)
})

test('a descriptor that fits no block by itself is left out', () => {
  const random = Uint8Array.from({ length: 900 }, (_, at) => (at * 7919 + (at >> 3) * 31) & 255)
  assert.deepEqual([...packDirectory([random], 100)], [])
})

/** A paid public exit that is in a family, with an IPv4 and an IPv6 address: all that does not shrink is there. */
function syntheticDescriptor(number: number): Uint8Array {
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  const publishedS = 1_800_000_000 + number
  return encodeDescriptor(
    {
      nodeId: random(32),
      sequence: publishedS,
      publishedS,
      expiresS: publishedS + 47 * 3600,
      onionKey: random(32),
      roles: 3,
      exitProfile: 1,
      exitFlags: number & 3,
      country: ['DE', 'US', 'FR', 'JP', 'BR'][number % 5] ?? '',
      asn: 1000 + (number % 400),
      familyId: number % 4 === 0 ? random(32) : undefined,
      stakerId: undefined,
      provider: random(20),
      priceStep: number % 9,
      tokenKeysHash: random(32),
      gossipPort: 9444,
      addresses: [
        { family: 4, bytes: random(4), port: 9443 },
        { family: 6, bytes: random(16), port: 9443 },
      ],
      attachments: [],
      software: 'byway/0.1.0',
    },
    random(64),
  )
}

test('a whole set of 10 000 nodes is less than 5 MB, an hour of two editions a day less than 400 KB', (t) => {
  const sizeOf = (count: number): number => {
    const descriptors = Array.from({ length: count }, (_, number) => syntheticDescriptor(number))
    const blocks = [...packDirectory(descriptors, BLOCK_BYTES)]
    // Each goes in a cell of its own.
    return blocks.length * 16_384
  }
  const wholeBytes = sizeOf(10_000)
  const hourBytes = sizeOf(834)
  t.diagnostic(`whole: ${wholeBytes} bytes, an hour: ${hourBytes} bytes`)
  assert.ok(wholeBytes <= 5_000_000, `${wholeBytes}`)
  assert.ok(hourBytes <= 400_000, `${hourBytes}`)
})
