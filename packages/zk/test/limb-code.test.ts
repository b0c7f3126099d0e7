/** Arithmetic on digits of 51 bits is what big integers say, at the borders of digits too, and sums of pairs are the library's: multi-exp.test.ts has all that is made of them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hasExactVectors } from '../src/exact-vectors.ts'
import { LIMB_BITS, LIMB_RADIX, LIMBS } from '../src/limb-field.ts'
import { PAIR_BYTES } from '../src/number-code.ts'
import { pairCode } from '../src/pair-code.ts'
import { COORDINATE_MODULUS as P } from '../src/proof.ts'

const numRuns = process.env['SLOW'] === '1' ? 200_000 : 2000
const ROOM = 16_384
const [X, Y, TO] = [0, 1000, 2000]
const LANES = [0, 1] as const

type Digits = readonly number[]
type Call = (...at: number[]) => void

const half = 2 ** (LIMB_BITS - 1)
/** At its borders, next to them, and anywhere. */
const digitOf = (most: number) =>
  fc.oneof(
    fc.constantFrom(-most, 1 - most, -1, 0, 1, most - 1, most),
    fc.maxSafeInteger().map((n) => n % most),
  )
/** Digits as a product leaves them; the last one small, so that the number is less than 1.3 p. */
const product = fc
  .tuple(...Array.from({ length: LIMBS - 1 }, () => digitOf(half)), digitOf(half / 2))
  .map((digits): Digits => digits)
/** As the difference of two has them. */
const difference = fc
  .tuple(...Array.from({ length: LIMBS - 1 }, () => digitOf(2 * half)), digitOf(half))
  .map((digits): Digits => digits)

const valueOf = (digits: Digits): bigint =>
  digits.reduceRight((sum, digit) => (sum << BigInt(LIMB_BITS)) + BigInt(digit), 0n)
const isMultiple = (value: bigint): boolean => value % P === 0n
const absolute = (value: bigint): bigint => (value < 0n ? -value : value)

function open(degree: 1 | 2) {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const { module, room } = pairCode(degree, ROOM)
  new Uint8Array(memory.buffer).set(room, ROOM)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } })
  const view = new DataView(memory.buffer)
  const place = (at: number, lane: number, i: number): number => at + 16 * i + 8 * lane
  return {
    call: exports as Readonly<Record<string, Call>>,
    memory: new Uint8Array(memory.buffer),
    write: (at: number, lane: number, digits: Digits): void => {
      for (const [i, digit] of digits.entries()) view.setFloat64(place(at, lane, i), digit, true)
    },
    read: (at: number, lane: number): Digits =>
      Array.from({ length: LIMBS }, (_, i) => view.getFloat64(place(at, lane, i), true)),
  }
}

/** A result: of whole digits, none beyond what the next step takes. */
function assertDigits(digits: Digits): void {
  for (const digit of digits) assert.ok(Number.isInteger(digit) && Math.abs(digit) <= half)
}

describe('arithmetic on digits', () => {
  it('can be had of this engine', () => {
    assert.equal(hasExactVectors(), true)
  })

  it('multiplies two pairs, also over what it reads', () => {
    const { call, write, read } = open(1)
    const four = fc.tuple(difference, product, product, difference)
    fc.assert(
      fc.property(four, ([a, b, c, d]) => {
        for (const to of [TO, X, Y]) {
          write(X, 0, a)
          write(Y, 0, b)
          write(X, 1, c)
          write(Y, 1, d)
          call['multiply']?.(X, Y, to)
          for (const [lane, x, y] of [[0, a, b] as const, [1, c, d] as const]) {
            const digits = read(to, lane)
            assertDigits(digits)
            const [value, xy] = [valueOf(digits), valueOf(x) * valueOf(y)]
            assert.ok(isMultiple(value * LIMB_RADIX - xy))
            assert.ok(
              absolute(value) * LIMB_RADIX <= absolute(xy) + (P * LIMB_RADIX) / 2n + P * 2n ** 204n,
            )
          }
        }
      }),
      { numRuns },
    )
  })

  it('squares, and inverts what is not zero', () => {
    const { call, write, read } = open(1)
    fc.assert(
      fc.property(product, product, (a, b) => {
        write(X, 0, a)
        write(X, 1, b)
        call['square']?.(X, TO)
        for (const [lane, x] of [[0, a] as const, [1, b] as const]) {
          assertDigits(read(TO, lane))
          assert.ok(isMultiple(valueOf(read(TO, lane)) * LIMB_RADIX - valueOf(x) ** 2n))
        }
      }),
      { numRuns },
    )
    fc.assert(
      fc.property(product, product, (a, b) => {
        if (isMultiple(valueOf(a)) || isMultiple(valueOf(b))) return
        write(X, 0, a)
        write(X, 1, b)
        call['invert']?.(X, TO)
        for (const [lane, x] of [[0, a] as const, [1, b] as const])
          assert.ok(isMultiple(valueOf(read(TO, lane)) * valueOf(x) - LIMB_RADIX ** 2n))
      }),
      { numRuns: numRuns / 20 },
    )
  })

  it('does so with numbers of two parts', () => {
    const { call, write, read } = open(2)
    const number = fc.tuple(product, product)
    fc.assert(
      fc.property(fc.tuple(difference, difference), number, ([a, b], [c, d]) => {
        for (const lane of LANES) {
          for (const [at, real, imaginary] of [[X, a, b] as const, [Y, c, d] as const]) {
            write(at, lane, real)
            write(at + PAIR_BYTES, lane, imaginary)
          }
        }
        const [va, vb, vc, vd] = [a, b, c, d].map(valueOf) as [bigint, bigint, bigint, bigint]
        const holds = (real: bigint, imaginary: bigint): void => {
          for (const lane of LANES)
            for (const [part, expected] of [real, imaginary].entries()) {
              const digits = read(TO + PAIR_BYTES * part, lane)
              assertDigits(digits)
              assert.ok(isMultiple(valueOf(digits) * LIMB_RADIX - expected))
              // Half of p, and what the last digit does not see.
              assert.ok(absolute(valueOf(digits)) <= P / 2n + 2n ** 206n)
            }
        }
        call['multiplyComplex']?.(X, Y, TO)
        holds(va * vc - vb * vd, va * vd + vb * vc)
        call['squareComplex']?.(Y, TO)
        holds(vc ** 2n - vd ** 2n, 2n * vc * vd)
      }),
      { numRuns },
    )
  })

  it('reads numbers as the library keeps them', () => {
    const { call, memory } = open(1)
    const numbers = fc.array(
      fc.oneof(
        fc.bigInt({ min: 0n, max: P - 1n }),
        fc.bigInt({ min: 0n, max: 300n }).map((less) => P - 1n - less),
        fc.nat(253).map((bit) => 2n ** BigInt(bit)),
      ),
      { minLength: 2, maxLength: 2 },
    )
    fc.assert(
      fc.property(numbers, (two) => {
        for (const [i, number] of two.entries())
          memory.set(
            Buffer.from(number.toString(16).padStart(64, '0'), 'hex').toReversed(),
            X + 32 * i,
          )
        call['read']?.(X, X + 64, TO)
        const doubles = new Float64Array(memory.buffer, TO, 2 * LIMBS)
        for (const [i, number] of two.entries()) {
          const digits = [...doubles.subarray(i * LIMBS, (i + 1) * LIMBS)]
          assertDigits(digits)
          assert.ok(isMultiple(2n * valueOf(digits) - number))
        }
      }),
      { numRuns },
    )
  })
})
