/** Rows by vectors are the library's, whatever stands in them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ELEMENT_BYTES, openCurve, writeNumber } from '../src/curve-memory.ts'
import { createPlainRows, plainRowsBytes } from '../src/plain-rows.ts'
import { SCALAR_ORDER } from '../src/proof.ts'
import { createVectorRows, vectorRowsBytes } from '../src/vector-rows.ts'

const SPARE_BYTES = 65_536

/** Numbers that are not the same in any two places, and such as end the field. */
function numberAt(i: number): bigint {
  const ends = [0n, 1n, SCALAR_ORDER - 1n, 2n ** 253n - 1n, 2n ** 51n - 1n, 2n ** 204n]
  return i % 3 === 0
    ? (ends[(i / 3) % ends.length] ?? 0n)
    : (BigInt(i) ** 91n * 7n ** 77n) % SCALAR_ORDER
}

describe('rows by vectors', () => {
  for (const rows of [4, 8, 32, 2048])
    it(`are the library's for ${rows}, also a second time`, () => {
      const bytes = rows * ELEMENT_BYTES
      const room = 4 * bytes + vectorRowsBytes(rows) + plainRowsBytes(rows)
      const curve = openCurve('slot', room + SPARE_BYTES)
      const [a, b, c, d] = [0, 1, 2, 3].map(() => curve.alloc(bytes)) as [
        number,
        number,
        number,
        number,
      ]
      const [ours, library] = [createVectorRows(curve, rows), createPlainRows(curve, rows)]
      for (const seed of [0, 5]) {
        for (let i = 0; i < rows; i++) {
          for (const at of [a, c])
            writeNumber(curve.view, at + i * ELEMENT_BYTES, numberAt(i + seed))
          for (const at of [b, d])
            writeNumber(curve.view, at + i * ELEMENT_BYTES, numberAt(3 * rows - i - seed))
        }
        ours(a, b)
        library(c, d)
        const [got, expected] = [a, c].map((at) => Buffer.from(curve.view.buffer, at, bytes))
        assert.deepEqual(got, expected)
      }
    })
})
