/** Poseidon in WebAssembly is the library's, to the bit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { poseidon4 } from 'poseidon-lite/poseidon4'
import { poseidon5 } from 'poseidon-lite/poseidon5'
import { createFastPoseidon } from '../src/fast-poseidon.ts'
import { SCALAR_ORDER } from '../src/proof.ts'

const { of4, of5 } = createFastPoseidon()
const element = fc.oneof(
  fc.bigInt({ min: 0n, max: SCALAR_ORDER - 1n }),
  fc.constantFrom(0n, 1n, SCALAR_ORDER - 1n, 2n ** 64n - 1n),
)
const tuple = (length: number) => fc.array(element, { minLength: length, maxLength: length })

test('hashes four and five elements as the library does', () => {
  fc.assert(
    fc.property(tuple(4), tuple(5), (four, five) => {
      assert.equal(of4(four), poseidon4(four))
      assert.equal(of5(five), poseidon5(five))
    }),
    { numRuns: process.env['SLOW'] === '1' ? 5000 : 100 },
  )
})

test('remembers nothing of the hash before', () => {
  const inputs = [1n, 2n, 3n, 4n, 5n]
  const hash = of5(inputs)
  of4([9n, 9n, 9n, 9n])
  of5([9n, 9n, 9n, 9n, 9n])
  assert.equal(of5(inputs), hash)
})
