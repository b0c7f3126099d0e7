/**
 * Pairs of numbers (limb-code.ts) in memory, as WebAssembly: multiplied, squared, and read from the library's form. Of a pair, digits stand side by side; in an array each number's digits stand together.
 * @module
 */
import { type ConstantPool, limbCode, type Limbs, limbs } from './limb-code.ts'
import { digitsOf, LIMB_BITS, LIMB_RADIX, type LimbField, LIMBS } from './limb-field.ts'
import {
  after,
  loadPair,
  loadVector,
  shiftWords,
  storePair,
  storeVector,
  untilSame,
  vector,
  VECTOR_BYTES,
} from './vector-code.ts'
import { type Code, get, set } from './wasm-code.ts'
import { type FunctionCode, writeFunction } from './wasm-module.ts'

/** Bytes of a number of an array. */
export const NUMBER_BYTES: number = 8 * LIMBS
/** Bytes of a pair of numbers. */
export const PAIR_BYTES: number = VECTOR_BYTES * LIMBS

/** Reads a pair. */
export function loadLimbs(at: Code, to: Limbs): Code[] {
  return to.map((limb, i) => set(limb, loadVector(at, VECTOR_BYTES * i)))
}

/** Writes a pair. */
export function storeLimbs(at: Code, from: Limbs): Code[] {
  return from.map((limb, i) => storeVector(at, VECTOR_BYTES * i, get(limb)))
}

/** Reads two numbers of an array, so many bytes apart. */
export function loadNumbers(at: Code, to: Limbs, apart: number = NUMBER_BYTES): Code[] {
  return to.map((limb, i) => set(limb, loadPair(at, after(at, apart), 8 * i)))
}

/** Writes two numbers of an array. */
export function storeNumbers(at: Code, from: Limbs, apart: number = NUMBER_BYTES): Code[] {
  return from.map((limb, i) => storePair(at, after(at, apart), 8 * i, get(limb)))
}

/** A number that does not change, as digits: of those that stand for it, the one next to zero. */
export function balancedDigits(value: bigint, modulus: bigint): readonly number[] {
  const rest = value % modulus
  return digitsOf(2n * rest > modulus ? rest - modulus : rest)
}

/** `multiply(x, y, to)`. */
export function multiplyCode(pool: ConstantPool, field: LimbField): FunctionCode {
  return writeFunction('multiply', 3, (next) => {
    const [x, y, code] = [limbs(next), limbs(next), limbCode(next, pool, field)]
    return [
      ...code.start,
      ...loadLimbs(get(0), x),
      ...loadLimbs(get(1), y),
      ...code.productSum([[x, y]], x),
      ...storeLimbs(get(2), x),
    ]
  })
}

/** `square(x, to)`. */
export function squareCode(pool: ConstantPool, field: LimbField): FunctionCode {
  return writeFunction('square', 2, (next) => {
    const [x, code] = [limbs(next), limbCode(next, pool, field)]
    const squared = [...code.square(x, x), ...storeLimbs(get(1), x)]
    return [...code.start, ...loadLimbs(get(0), x), ...squared]
  })
}

/** `read(from, end, to)`: numbers of 32 bytes as the library keeps them, times 2^256, to an array, where they are times 2^255 and next to zero. Two at a time. */
export function readCode(pool: ConstantPool, field: LimbField): FunctionCode {
  const factor = balancedDigits(LIMB_RADIX >> 1n, field.modulus)
  return writeFunction('read', 3, (next) => {
    const [words, x, y] = [[0, 1, 2, 3].map(() => next('vector')), limbs(next), limbs(next)]
    const [code, [from, end, to]] = [limbCode(next, pool, field), [get(0), get(1), get(2)]]
    const [mask, exponent] = [pool.word((1n << BigInt(LIMB_BITS)) - 1n), pool.double(2 ** 52)]
    const step = [
      ...words.map((word, i) => set(word, loadPair(from, after(from, WORDS_BYTES), 8 * i))),
      ...x.map((limb, i) => {
        const bits = vector('and', wordsFrom(words, LIMB_BITS * i), mask)
        return set(limb, vector('subtract', vector('or', bits, exponent), exponent))
      }),
      ...code.productSum([[x, y]], x),
      ...code.reduce(x),
      ...storeNumbers(to, x),
      set(0, after(from, 2 * WORDS_BYTES)),
      set(2, after(to, 2 * NUMBER_BYTES)),
    ]
    const constants = y.map((limb, i) => set(limb, pool.double(factor[i] ?? 0)))
    return [...code.start, ...constants, untilSame(step, from, end)]
  })
}

/** Of a number in words. */
export const WORDS_BYTES = 32

/** Words of 64 bits from a bit on. */
function wordsFrom(words: readonly number[], bit: number): Code {
  const [word, shift] = [bit >> 6, bit & 63]
  const low = shiftWords('right', get(words[word] ?? 0), shift)
  const high = words[word + 1]
  return high === undefined || shift === 0
    ? low
    : vector('or', low, shiftWords('left', get(high), 64 - shift))
}
