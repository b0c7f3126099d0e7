/**
 * Sums of pairs of affine points, two at a time, as WebAssembly (limb-code.ts): what is divided by is inverted for many pairs together (Montgomery's trick), so that a sum takes six
 * multiplications. Points whose x are the same must not meet here: then all that is inverted with them is zero.
 *
 * A point is its coordinates' digits as doubles, one after another; of a pair of numbers that are worked on, digits stand side by side. A list has three addresses for each sum: two points, each negated where the
 * address is odd, and where the sum goes.
 * @module
 */
import { invertComplexCode, multiplyComplexCode, squareComplexCode } from './complex-code.ts'
import { type ConstantPool, createPool, limbCode, limbs, type NextLocal } from './limb-code.ts'
import { limbField, LIMBS } from './limb-field.ts'
import {
  loadLimbs,
  multiplyCode,
  PAIR_BYTES,
  readCode,
  squareCode,
  storeLimbs,
} from './number-code.ts'
import { COORDINATE_MODULUS } from './proof.ts'
import {
  after,
  before,
  call,
  even,
  loadAddress,
  loadPair,
  loadVector,
  signsOf,
  storePair,
  storeVector,
  untilSame,
  vector,
  VECTOR_BYTES,
  whenByte,
  whole,
} from './vector-code.ts'
import { type Code, get, set } from './wasm-code.ts'
import { type FunctionCode, moduleOf, writeFunction } from './wasm-module.ts'

/** Of a coordinate: one number, or a real and an imaginary part. */
export type Degree = 1 | 2

/** Of a list, for one sum. */
export const SUM_BYTES = 12

/** Functions, and what they need at the address for which they were made. */
export type PairCode = { readonly module: Uint8Array<ArrayBuffer>; readonly room: Uint8Array }

/** Bytes that {@link PairCode} needs. */
export const PAIR_ROOM_BYTES = 4096

/**
 * Writes the module:
 * - `read(from, end, to)`: two numbers of 32 bytes after another, as the library keeps them, to digits;
 * - `multiply(x, y, to)` and `square(x, to)` of pairs of coordinates;
 * - `forward(list, end, differences, products)`: of each two sums, what is divided by, and the product of all before them, which begins with `products`;
 * - `backward(end, list, differences, products)`: the sums, when what `forward` left behind the last product is not zero; `end`, and the two others' ends, are behind the last.
 */
export function pairCode(degree: Degree, at: number): PairCode {
  const fields = AT + 8 * PAIR_BYTES * 2
  const pool = createPool(at + fields)
  const functions: FunctionCode[] = []
  const add = (made: FunctionCode): number => functions.push(made) - 1
  const multiply = add(multiplyCode(pool, FIELD))
  const square = add(squareCode(pool, FIELD))
  const invert = add(invertCode(at, { multiply, square }))
  add(readCode(pool, FIELD))
  const complex = (): Field => ({
    multiply: add(multiplyComplexCode(pool, FIELD)),
    square: add(squareComplexCode(pool, FIELD)),
    invert: add(invertComplexCode(pool, FIELD, { place: invert, room: place(at, 5) })),
  })
  const field = degree === 1 ? { multiply, square, invert } : complex()
  add(forwardCode(degree, field))
  add(backwardCode(degree, at, field, pool))
  const room = new Uint8Array(PAIR_ROOM_BYTES)
  room.set(exponentBits())
  const constants = pool.bytes()
  if (fields + constants.length > PAIR_ROOM_BYTES) throw new RangeError('too many constants')
  room.set(constants, fields)
  return { module: moduleOf(functions), room }
}

const FIELD = limbField(COORDINATE_MODULUS)

/** Places of a coordinate's functions. */
type Field = { readonly multiply: number; readonly square: number; readonly invert: number }

/** In the room: the exponent's bits, then pairs of coordinates that functions keep something in, then constants. */
const AT = 256
const place = (room: number, i: number): Code => whole(room + AT + 2 * PAIR_BYTES * i)
const X = get(0)
const Y = get(1)

/** By Fermat, with the exponent's bits from the greatest but one on. */
function invertCode(
  room: number,
  { multiply, square }: Pick<Field, 'multiply' | 'square'>,
): FunctionCode {
  return writeFunction('invert', 2, (next) => {
    const [bit, result, x] = [next('address'), place(room, 6), place(room, 7)]
    const number = limbs(next)
    const step = [
      call(square, result, result),
      whenByte(get(bit), 0, call(multiply, result, x, result)),
      set(bit, after(get(bit), 1)),
    ]
    return [
      ...loadLimbs(X, number),
      ...storeLimbs(result, number),
      ...storeLimbs(x, number),
      set(bit, whole(room)),
      untilSame(step, get(bit), whole(room + exponentBits().length)),
      ...loadLimbs(result, number),
      ...storeLimbs(Y, number),
    ]
  })
}

function exponentBits(): Uint8Array {
  const bits = (COORDINATE_MODULUS - 2n).toString(2).slice(1)
  return Uint8Array.from(bits, Number)
}

function forwardCode(degree: Degree, { multiply }: Field): FunctionCode {
  return writeFunction('forward', 4, (next) => {
    const [list, end, difference, product] = [get(0), get(1), get(2), get(3)]
    const addresses = [0, 1, 2, 3].map(() => next('address'))
    const [a0 = 0, b0 = 0, a1 = 0, b1 = 0] = addresses
    const size = PAIR_BYTES * degree
    const offsets = [0, 4, SUM_BYTES, SUM_BYTES + 4]
    const step = [
      ...addresses.map((local, i) => set(local, even(loadAddress(list, offsets[i] ?? 0)))),
      ...Array.from({ length: LIMBS * degree }, (_, i) => {
        const [a, b] = [loadPair(get(a0), get(a1), 8 * i), loadPair(get(b0), get(b1), 8 * i)]
        return storeVector(difference, VECTOR_BYTES * i, vector('subtract', b, a))
      }),
      call(multiply, product, difference, after(product, size)),
      set(0, after(list, 2 * SUM_BYTES)),
      set(2, after(difference, size)),
      set(3, after(product, size)),
    ]
    return [untilSame(step, get(0), end)]
  })
}

function backwardCode(
  degree: Degree,
  room: number,
  field: Field,
  pool: ConstantPool,
): FunctionCode {
  const size = PAIR_BYTES * degree
  const [run, inverse, slope] = [place(room, 0), place(room, 1), place(room, 2)]
  const [other, y] = [place(room, 3), place(room, 4)]
  return writeFunction('backward', 4, (next) => {
    const [start, list, difference, product] = [get(0), get(1), get(2), get(3)] as const
    const sums = sumsOf(next)
    const [x, first, code] = [limbs(next), limbs(next), limbCode(next, pool, FIELD)]
    const steps: Code[] = [
      set(1, before(list, 2 * SUM_BYTES)),
      set(2, before(difference, size)),
      set(3, before(product, size)),
      call(field.multiply, run, product, inverse),
      call(field.multiply, run, difference, run),
      ...sums.read(list),
      ...Array.from({ length: LIMBS * degree }, (_, i) => {
        const to = VECTOR_BYTES * i
        const [ya, yb] = sums.signed(i + LIMBS * degree)
        return [storeVector(y, to, ya), storeVector(slope, to, vector('subtract', yb, ya))]
      }),
      call(field.multiply, slope, inverse, slope),
      call(field.square, slope, other),
      ...parts(degree).flatMap((part) => [
        ...first.map((limb, i) => set(limb, sums.digits(part + i)[0])),
        ...x.map((limb, i) => {
          const less = vector(
            'subtract',
            loadVector(other, VECTOR_BYTES * (part + i)),
            get(first[i] ?? 0),
          )
          return set(limb, vector('subtract', less, sums.digits(part + i)[1]))
        }),
        ...code.reduce(x),
        ...x.flatMap((limb, i) => {
          const back = vector('subtract', get(first[i] ?? 0), get(limb))
          return [
            storeVector(other, VECTOR_BYTES * (part + i), back),
            sums.write(part + i, get(limb)),
          ]
        }),
      ]),
      call(field.multiply, slope, other, other),
      ...parts(degree).flatMap((part) => [
        ...x.map((limb, i) => {
          const at = VECTOR_BYTES * (part + i)
          return set(limb, vector('subtract', loadVector(other, at), loadVector(y, at)))
        }),
        ...code.reduce(x),
        ...x.map((limb, i) => sums.write(part + i + LIMBS * degree, get(limb))),
      ]),
    ]
    return [...code.start, call(field.invert, product, run), untilSame(steps, list, start)]
  })
}

/** The points of two sums of a list, by their addresses in locals. */
function sumsOf(next: NextLocal) {
  const locals = Array.from({ length: 6 }, () => next('address'))
  const [a0 = [], b0 = [], to0 = [], a1 = [], b1 = [], to1 = []] = locals.map(get)
  const [signA, signB] = [next('vector'), next('vector')]
  const digits = (i: number) => [loadPair(a0, a1, 8 * i), loadPair(b0, b1, 8 * i)] as const
  return {
    /** Reads addresses and signs. */
    read: (list: Code): readonly Code[] => [
      ...locals.map((local, i) => set(local, loadAddress(list, 4 * i))),
      set(signA, signsOf(a0, a1)),
      set(signB, signsOf(b0, b1)),
      ...[0, 1, 3, 4].map((i) => set(locals[i] ?? 0, even(get(locals[i] ?? 0)))),
    ],
    /** Of both points. */
    digits,
    /** The same with their signs. */
    signed(i: number): readonly [Code, Code] {
      const [a, b] = digits(i)
      return [vector('xor', a, get(signA)), vector('xor', b, get(signB))]
    },
    write: (i: number, digit: Code): Code => storePair(to0, to1, 8 * i, digit),
  }
}

/** The first digit of each part of a coordinate. */
function parts(degree: Degree): readonly number[] {
  return degree === 1 ? [0] : [0, LIMBS]
}
