import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { BLOCK_BYTES, measureSizes, syntheticSet } from '../bench/directory.bench.ts'
import { MAX_DIRECTORY_PARTS } from '../src/directory-questions.ts'
import { MAX_UNPACKED_BYTES, packDirectory, unpackDirectory } from '../src/directory-blocks.ts'

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

test('a full set of 16 MiB that does not shrink at all has fewer parts than an answer may', (t) => {
  const pool = createHash('shake256', { outputLength: 1024 * 1024 }).digest()
  const descriptors = Array.from({ length: Math.floor((16 * 1024 * 1024) / 1536) }, (_, i) => {
    const at = (i * 1543) % (pool.length - 1536)
    return pool.subarray(at, at + 1536)
  })
  let parts = 0
  for (const _ of packDirectory(descriptors, BLOCK_BYTES)) parts++
  t.diagnostic(`${parts} parts`)
  assert.ok(parts > MAX_DIRECTORY_PARTS / 2 && parts < MAX_DIRECTORY_PARTS, `${parts}`)
})

test('a whole set of 10 000 nodes is less than 5 MB, an hour of two editions a day less than 400 KB', (t) => {
  const { wholeBytes, hourBytes } = measureSizes(syntheticSet(10_000))
  t.diagnostic(`whole: ${wholeBytes} bytes, an hour: ${hourBytes} bytes`)
  assert.ok(wholeBytes <= 5_000_000, `${wholeBytes}`)
  assert.ok(hourBytes <= 400_000, `${hourBytes}`)
})
