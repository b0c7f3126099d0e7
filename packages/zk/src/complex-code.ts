/**
 * Numbers a + b·i, where i² = -1, whose parts are numbers of limb-code.ts: pairs of them multiplied, squared and inverted, as WebAssembly. Each part is brought below p/2 again, since
 * sums of two products are twice as large.
 * @module
 */
import { type ConstantPool, type LimbCode, limbCode, type Limbs, limbs } from './limb-code.ts'
import type { LimbField } from './limb-field.ts'
import { loadLimbs, PAIR_BYTES, storeLimbs } from './number-code.ts'
import { after, call, vector } from './vector-code.ts'
import { type Code, get, set } from './wasm-code.ts'
import { type FunctionCode, writeFunction } from './wasm-module.ts'

/** `multiplyComplex(x, y, to)`. */
export function multiplyComplexCode(pool: ConstantPool, field: LimbField): FunctionCode {
  return writeFunction('multiplyComplex', 3, (next) => {
    const [a, b, c, d, real] = [limbs(next), limbs(next), limbs(next), limbs(next), limbs(next)]
    const [minus, code] = [limbs(next), limbCode(next, pool, field)]
    return [
      ...code.start,
      ...loadComplex(get(0), [a, b]),
      ...loadComplex(get(1), [c, d]),
      ...negate(b, minus, pool),
      ...sumOfTwo(code, [a, c, minus, d], real),
      ...sumOfTwo(code, [a, d, b, c], b),
      ...storeReduced(code, get(2), [real, b]),
    ]
  })
}

/** `squareComplex(x, to)`. */
export function squareComplexCode(pool: ConstantPool, field: LimbField): FunctionCode {
  return writeFunction('squareComplex', 2, (next) => {
    const [a, b, sum, difference] = [limbs(next), limbs(next), limbs(next), limbs(next)]
    const code = limbCode(next, pool, field)
    const each = (name: 'add' | 'subtract', x: Limbs, y: Limbs, to: Limbs): Code[] =>
      to.map((limb, i) => set(limb, vector(name, get(x[i] ?? 0), get(y[i] ?? 0))))
    return [
      ...code.start,
      ...loadComplex(get(0), [a, b]),
      ...each('add', a, b, sum),
      ...each('subtract', a, b, difference),
      ...code.productSum([[sum, difference]], sum),
      ...each('add', a, a, a),
      ...code.productSum([[a, b]], b),
      ...storeReduced(code, get(1), [sum, b]),
    ]
  })
}

/** `invertComplex(x, to)`: by the inverse of the norm, for which there are a function's place in the module and room at an address. */
export function invertComplexCode(
  pool: ConstantPool,
  field: LimbField,
  invert: { readonly place: number; readonly room: Code },
): FunctionCode {
  return writeFunction('invertComplex', 2, (next) => {
    const [a, b, norm, code] = [limbs(next), limbs(next), limbs(next), limbCode(next, pool, field)]
    return [
      ...code.start,
      ...loadComplex(get(0), [a, b]),
      ...sumOfTwo(code, [a, a, b, b], norm),
      ...code.reduce(norm),
      ...storeLimbs(invert.room, norm),
      call(invert.place, invert.room, invert.room),
      ...loadLimbs(invert.room, norm),
      ...negate(b, b, pool),
      ...code.productSum([[a, norm]], a),
      ...code.productSum([[b, norm]], b),
      ...storeReduced(code, get(1), [a, b]),
    ]
  })
}

type Complex = readonly [real: Limbs, imaginary: Limbs]

/** Of four numbers, the product of the first two and that of the others. */
function sumOfTwo(
  code: LimbCode,
  [a, b, c, d]: readonly [Limbs, Limbs, Limbs, Limbs],
  to: Limbs,
): readonly Code[] {
  const pairs = [[a, b] as const, [c, d] as const]
  return code.productSum(pairs, to)
}

function loadComplex(at: Code, [real, imaginary]: Complex): Code[] {
  return [...loadLimbs(at, real), ...loadLimbs(after(at, PAIR_BYTES), imaginary)]
}

function storeReduced(code: LimbCode, at: Code, [real, imaginary]: Complex): readonly Code[] {
  return [
    ...code.reduce(real),
    ...code.reduce(imaginary),
    ...storeLimbs(at, real),
    ...storeLimbs(after(at, PAIR_BYTES), imaginary),
  ]
}

function negate(from: Limbs, to: Limbs, pool: ConstantPool): Code[] {
  return to.map((limb, i) => set(limb, vector('xor', get(from[i] ?? 0), pool.double(-0))))
}
