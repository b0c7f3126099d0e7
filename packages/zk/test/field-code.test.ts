/** Arithmetic of our own is what big integers say, for both fields, whatever the digits. What the library makes of it: multi-exp.test.ts, groth16-verify.test.ts. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openCurve, writeNumber } from '../src/curve-memory.ts'
import { openProductSum } from '../src/product-sum.ts'
import { COORDINATE_MODULUS, SCALAR_ORDER } from '../src/proof.ts'
import { withBodies } from '../src/wasm-patch.ts'

const R = 2n ** 256n
const SIZE = 32
const numRuns = process.env['SLOW'] === '1' ? 1_000_000 : 3000

const curve = openCurve('slot', 4096)
const [x, y, to] = [curve.alloc(SIZE), curve.alloc(SIZE), curve.alloc(SIZE)]

function read(at: number): bigint {
  const word = (i: number): bigint => curve.view.getBigUint64(at + 8 * i, true)
  return [3, 2, 1, 0].reduce((number, i) => (number << 64n) | word(i), 0n)
}

/** By Fermat. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [result, base] = [1n, value]
  for (let power = modulus - 2n; power > 0n; power >>= 1n) {
    if (power & 1n) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return result
}

for (const [prefix, modulus] of [
  ['f1m', COORDINATE_MODULUS],
  ['frm', SCALAR_ORDER],
] as const)
  describe(`arithmetic in ${prefix}`, () => {
    const [multiply, square] = [curve.call(`${prefix}_mul`), curve.call(`${prefix}_square`)]
    const below = (most: bigint) =>
      fc.oneof(
        fc.bigInt({ min: 0n, max: most }),
        fc.bigInt({ min: 0n, max: 300n }).map((less) => most - less),
        fc.nat(255).map((bit) => 2n ** BigInt(bit) % (most + 1n)),
        // Digits that are all ones, or none.
        fc
          .array(fc.constantFrom(0n, 1n, 2n ** 29n - 1n, 2n ** 28n), { minLength: 9, maxLength: 9 })
          .map((limbs) => limbs.reduce((sum, limb) => (sum << 29n) | limb) % (most + 1n)),
      )
    const element = below(modulus - 1n)
    const any = below(R - 1n)

    it('gives x·y/2^256 below the modulus, when one of them is below it', () => {
      fc.assert(
        fc.property(element, any, (a, b) => {
          for (const [one, other] of [
            [a, b],
            [b, a],
          ] as const) {
            writeNumber(curve.view, x, one)
            writeNumber(curve.view, y, other)
            multiply(x, y, to)
            assert.ok(read(to) < modulus)
            assert.equal((read(to) * R - a * b) % modulus, 0n)
          }
        }),
        { numRuns },
      )
    })

    it('gives products at either end of the field, where the last step could go wrong', () => {
      const ends = fc.oneof(
        fc
          .bigInt({ min: 0n, max: 300n })
          .chain((near) => fc.constantFrom(near, modulus - 1n - near)),
        fc.tuple(fc.constantFrom(64n, 128n, 192n), fc.bigInt({ min: -2n, max: 2n })).chain(
          // Next to what differs from the modulus in some words only.
          ([bits, near]) => fc.constantFrom((1n << bits) + near, modulus - (1n << bits) + near),
        ),
      )
      fc.assert(
        fc.property(ends, element, (product, a) => {
          if (a === 0n) return
          writeNumber(curve.view, x, a)
          writeNumber(curve.view, y, (product * R * inverse(a, modulus)) % modulus)
          multiply(x, y, to)
          assert.equal(read(to), product)
        }),
        { numRuns: numRuns / 10 },
      )
    })

    it('squares alike, and writes over what it reads', () => {
      fc.assert(
        fc.property(element, (a) => {
          writeNumber(curve.view, x, a)
          square(x, to)
          assert.ok(read(to) < modulus)
          assert.equal((read(to) * R - a * a) % modulus, 0n)
          const squared = read(to)
          multiply(x, x, x)
          assert.equal(read(x), squared)
          writeNumber(curve.view, x, a)
          square(x, x)
          assert.equal(read(x), squared)
        }),
        { numRuns },
      )
    })

    it('adds and subtracts, also over what it reads', () => {
      const [add, subtract] = [curve.call(`${prefix}_add`), curve.call(`${prefix}_sub`)]
      fc.assert(
        fc.property(element, element, (a, b) => {
          for (const [operation, expected] of [
            [add, (a + b) % modulus],
            [subtract, (a - b + modulus) % modulus],
          ] as const)
            for (const result of [to, x, y]) {
              writeNumber(curve.view, x, a)
              writeNumber(curve.view, y, b)
              operation(x, y, result)
              assert.equal(read(result), expected)
            }
        }),
        { numRuns },
      )
    })

    it('reads and writes 32 bytes and no more', () => {
      const room = curve.alloc(5 * SIZE)
      const bytes = new Uint8Array(curve.view.buffer, room, 5 * SIZE)
      const results = [0, 255].map((filling) => {
        bytes.fill(filling)
        writeNumber(curve.view, room + SIZE, modulus - 1n)
        multiply(room + SIZE, room + SIZE, room + 3 * SIZE)
        for (const i of [0, 2, 4])
          assert.ok(bytes.slice(i * SIZE, (i + 1) * SIZE).every((byte) => byte === filling))
        return read(room + 3 * SIZE)
      })
      assert.equal(results[0], results[1])
      // Nothing is behind the last number of memory.
      const last = curve.view.byteLength - SIZE
      writeNumber(curve.view, last, modulus - 1n)
      multiply(last, last, to)
      assert.equal(read(to), results[0])
    })
  })

describe('sums of products', () => {
  const room = curve.alloc(12 * SIZE)
  const near = fc.bigInt({ min: 1n, max: 300n }).map((less) => SCALAR_ORDER - less)
  // The most that digits can hold, and so their sums.
  const ones = ((SCALAR_ORDER >> 232n) << 232n) - 1n
  const element = fc.oneof(fc.bigInt({ min: 0n, max: SCALAR_ORDER - 1n }), near, fc.constant(ones))

  for (const pairs of [1, 4, 5, 6])
    it(`are those of big integers for ${pairs}, also over what is read`, () => {
      const sum = openProductSum(curve, pairs)
      const numbers = fc.array(element, { minLength: 2 * pairs, maxLength: 2 * pairs })
      fc.assert(
        fc.property(numbers, (all) => {
          const total = all
            .slice(0, pairs)
            .reduce((before, a, i) => before + a * (all[pairs + i] ?? 0n), 0n)
          for (const result of [to, room + pairs * SIZE, room]) {
            for (const [i, number] of all.entries())
              writeNumber(curve.view, room + i * SIZE, number)
            sum(room, room + pairs * SIZE, result)
            assert.ok(read(result) < SCALAR_ORDER)
            assert.equal((read(result) * R - total) % SCALAR_ORDER, 0n)
          }
        }),
        { numRuns },
      )
    })

  it('are of no more than fit in 64 bits', () => {
    assert.throws(() => openProductSum(curve, 7), RangeError)
  })
})

describe('the library with other bodies', () => {
  const library = readFileSync(
    createRequire(import.meta.url).resolve('wasmcurves/build/bn128.wasm'),
  )

  it('is the library where no body is replaced', () => {
    assert.deepEqual(withBodies(library, {}), Uint8Array.from(library))
  })

  it('is none with a body for what it does not export', () => {
    assert.throws(() => withBodies(library, { f9m_mul: [] }), RangeError)
  })
})
