/**
 * Fourier transforms of scalars, two butterflies at a time, as WebAssembly (limb-code.ts). One goes down from whole arrays to pairs of numbers, which leaves them in reversed order of their indexes'
 * bits; the other goes up from there. Neither ever moves a number.
 * @module
 */
import { createPool, type ConstantPool, limbCode, type Limbs, limbs } from './limb-code.ts'
import { LIMB_BITS, limbField } from './limb-field.ts'
import {
  loadNumbers,
  multiplyCode,
  NUMBER_BYTES,
  readCode,
  storeNumbers,
  WORDS_BYTES,
} from './number-code.ts'
import { SCALAR_ORDER } from './proof.ts'
import { after, loadPair, plus, shiftWords, storePair, untilSame, vector } from './vector-code.ts'
import { type Code, get, set } from './wasm-code.ts'
import { type FunctionCode, moduleOf, writeFunction } from './wasm-module.ts'

/** Functions, and what they need at the address for which they were made. */
export type TransformCode = { readonly module: Uint8Array<ArrayBuffer>; readonly room: Uint8Array }

/** Bytes that {@link TransformCode} needs. */
export const TRANSFORM_ROOM_BYTES = 2048

/**
 * Writes the module. Arrays are of numbers as number-code.ts has them, an even count; `end` is behind the last.
 * - `read(from, end, to)` as there, and `multiply(x, y, to)` of pairs;
 * - `multiplyAll(x, end, y, to)`: each of one array times that of another;
 * - `down(x, end, half, roots, step)` and `up(x, end, half, roots, step)`: one stage of a transform, of butterflies of numbers `half` bytes apart, at least two numbers; roots of
 *   unity stand one after another `step` bytes apart. Down, they are the opposites of the inverses.
 * - `ends(x, end)`: the stage of numbers that are next to each other, of four at a time;
 * - `write(a, end, b, c, to)`: a·b - c as numbers of 32 bytes, below the modulus, without a factor.
 */
export function transformCode(at: number): TransformCode {
  const pool = createPool(at)
  const module = moduleOf([
    readCode(pool, FIELD),
    multiplyCode(pool, FIELD),
    multiplyAllCode(pool),
    stageCode('down', pool),
    stageCode('up', pool),
    endsCode(pool),
    writeCode(pool),
  ])
  const room = pool.bytes()
  if (room.length > TRANSFORM_ROOM_BYTES) throw new RangeError('too many constants')
  return { module, room }
}

const FIELD = limbField(SCALAR_ORDER)
const TWO_NUMBERS = 2 * NUMBER_BYTES

function each(name: 'add' | 'subtract', x: Limbs, y: Limbs, to: Limbs): Code[] {
  return to.map((limb, i) => set(limb, vector(name, get(x[i] ?? 0), get(y[i] ?? 0))))
}

function multiplyAllCode(pool: ConstantPool): FunctionCode {
  return writeFunction('multiplyAll', 4, (next) => {
    const [x, y, code] = [limbs(next), limbs(next), limbCode(next, pool, FIELD)]
    const step = [
      ...loadNumbers(get(0), x),
      ...loadNumbers(get(2), y),
      ...code.productSum([[x, y]], x),
      ...storeNumbers(get(3), x),
      ...[0, 2, 3].map((pointer) => set(pointer, after(get(pointer), TWO_NUMBERS))),
    ]
    return [...code.start, untilSame(step, get(0), get(1))]
  })
}

function stageCode(name: 'down' | 'up', pool: ConstantPool): FunctionCode {
  return writeFunction(name, 5, (next) => {
    const [x, end, half, roots, step] = [get(0), get(1), get(2), get(3), get(4)] as const
    const [root, until] = [next('address'), next('address')]
    const [u, v, w, sum] = [limbs(next), limbs(next), limbs(next), limbs(next)]
    const code = limbCode(next, pool, FIELD)
    const other = plus(x, half)
    const rootsOfPair = w.map((limb, i) =>
      set(limb, loadPair(get(root), plus(get(root), step), 8 * i)),
    )
    const turned =
      name === 'down'
        ? [...each('add', u, v, sum), ...each('subtract', v, u, v), ...code.productSum([[v, w]], v)]
        : [
            ...code.productSum([[v, w]], w),
            ...each('add', u, w, sum),
            ...each('subtract', u, w, v),
            ...code.reduce(v),
          ]
    const butterflies = [
      ...loadNumbers(x, u),
      ...loadNumbers(other, v),
      ...rootsOfPair,
      ...turned,
      ...code.reduce(sum),
      ...storeNumbers(x, sum),
      ...storeNumbers(other, v),
      set(0, after(x, TWO_NUMBERS)),
      set(root, plus(plus(get(root), step), step)),
    ]
    const block = [
      set(root, roots),
      set(until, other),
      untilSame(butterflies, x, get(until)),
      set(0, other),
    ]
    return [...code.start, untilSame(block, x, end)]
  })
}

function endsCode(pool: ConstantPool): FunctionCode {
  return writeFunction('ends', 2, (next) => {
    const [u, v, sum, code] = [limbs(next), limbs(next), limbs(next), limbCode(next, pool, FIELD)]
    const [x, y] = [get(0), after(get(0), NUMBER_BYTES)]
    const step = [
      ...loadNumbers(x, u, TWO_NUMBERS),
      ...loadNumbers(y, v, TWO_NUMBERS),
      ...each('add', u, v, sum),
      ...each('subtract', u, v, v),
      ...code.reduce(sum),
      ...code.reduce(v),
      ...storeNumbers(x, sum, TWO_NUMBERS),
      ...storeNumbers(y, v, TWO_NUMBERS),
      set(0, after(x, 2 * TWO_NUMBERS)),
    ]
    return [...code.start, untilSame(step, x, get(1))]
  })
}

function writeCode(pool: ConstantPool): FunctionCode {
  return writeFunction('write', 5, (next) => {
    const [x, y, one, code] = [limbs(next), limbs(next), limbs(next), limbCode(next, pool, FIELD)]
    const [a, end, b, c, to] = [get(0), get(1), get(2), get(3), get(4)] as const
    const step = [
      ...loadNumbers(a, x),
      ...loadNumbers(b, y),
      ...code.productSum([[x, y]], x),
      ...loadNumbers(c, y),
      ...each('subtract', x, y, x),
      // Takes the factor away, and leaves no more than half of the modulus.
      ...code.productSum([[x, one]], x),
      ...toWords(x, next('vector'), pool),
      ...[0, 1, 2, 3].map((i) => {
        return storePair(to, after(to, WORDS_BYTES), 8 * i, wordFrom(x, i))
      }),
      ...[0, 2, 3].map((pointer) => set(pointer, after(get(pointer), TWO_NUMBERS))),
      set(4, after(to, 2 * WORDS_BYTES)),
    ]
    const ones = one.map((limb, i) => set(limb, pool.double(i === 0 ? 1 : 0)))
    return [...code.start, ...ones, untilSame(step, a, end)]
  })
}

/** Makes digits of the number below the modulus, as words without a sign, from those of one that is greater than the modulus' opposite. */
function toWords(x: Limbs, sign: number, pool: ConstantPool): Code[] {
  const shifted = pool.double(WHOLE)
  const top = x.at(-1) ?? 0
  return [
    ...x.map((limb) => {
      return set(limb, vector('subtractWords', vector('add', get(limb), shifted), shifted))
    }),
    ...carryWords(x, pool),
    set(sign, shiftWords('rightWithSign', get(top), 63)),
    ...x.map((limb, i) => {
      const digit = BigInt.asUintN(LIMB_BITS, SCALAR_ORDER >> BigInt(LIMB_BITS * i))
      return set(limb, vector('addWords', get(limb), vector('and', get(sign), pool.word(digit))))
    }),
    ...carryWords(x, pool),
  ]
}

/** Words from 2^52 on have as their last bits what is added to this double. */
const WHOLE = 1.5 * 2 ** 52

/** Leaves digits without a sign but for the last one. */
function carryWords(x: Limbs, pool: ConstantPool): Code[] {
  const mask = pool.word((1n << BigInt(LIMB_BITS)) - 1n)
  return x.slice(1).flatMap((next, i) => {
    const limb = get(x[i] ?? 0)
    const carried = shiftWords('rightWithSign', limb, LIMB_BITS)
    return [
      set(next, vector('addWords', get(next), carried)),
      set(x[i] ?? 0, vector('and', limb, mask)),
    ]
  })
}

/** Of 64 bits: what two digits have of it. */
function wordFrom(x: Limbs, word: number): Code {
  const shift = 64 * word - LIMB_BITS * word
  const low = shiftWords('right', get(x[word] ?? 0), shift)
  return vector('or', low, shiftWords('left', get(x[word + 1] ?? 0), LIMB_BITS - shift))
}
