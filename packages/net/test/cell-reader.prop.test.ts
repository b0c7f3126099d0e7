import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cellBytesOfClass, type SizeClass } from '@byway/protocol/wire'
import { createCellReader } from '../src/cell-reader.ts'

const runs = process.env['SLOW'] ? 100_000 : 300

const cellArb = fc
  .record({ size: fc.constantFrom<SizeClass>(0, 1, 2, 3), fill: fc.integer({ min: 0, max: 255 }) })
  .map(({ size, fill }) => {
    const cell = new Uint8Array(cellBytesOfClass(size)).fill(fill)
    cell[4] = (size << 6) | (fill & 0x3f)
    return cell
  })

test('a stream of cells gives the same cells however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(cellArb, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      (cells, cuts, isOwned) => {
        const read: Uint8Array[] = []
        const reader = createCellReader((cell) => read.push(cell) > 0)
        const stream = Buffer.concat(cells)
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const end = at + (cuts[turn % cuts.length] ?? 1)
          reader.read(Uint8Array.from(stream.subarray(at, end)), isOwned)
          at = end
        }
        assert.deepEqual(read, cells)
      },
    ),
    { numRuns: runs },
  )
})

test('any bytes give whole cells in order, and what is left is less than one', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }), (chunks) => {
      const read: Uint8Array[] = []
      const reader = createCellReader((cell) => read.push(cell) > 0)
      for (const chunk of chunks) reader.read(chunk.slice(), true)
      const all = Buffer.concat(chunks)
      const got = Buffer.concat(read)
      assert.ok(all.subarray(0, got.length).equals(got))
      assert.ok(all.length - got.length < 16_384)
    }),
    { numRuns: runs },
  )
})

test('a chunk that is one cell is passed on without a copy, and only if it may be kept', () => {
  const chunk = new Uint8Array(1024)
  const read: Uint8Array[] = []
  const reader = createCellReader((cell) => read.push(cell) > 0)
  assert.equal(reader.read(chunk, true), true)
  assert.equal(reader.read(chunk, false), false)
  assert.equal(read[0], chunk)
  assert.notEqual(read[1], chunk)
  assert.deepEqual(read[1], chunk)
})

test('a reader whose cells are not wanted any more stops within the chunk', () => {
  let count = 0
  const reader = createCellReader(() => ++count < 2)
  reader.read(new Uint8Array(1024 * 5), true)
  assert.equal(count, 2)
})
