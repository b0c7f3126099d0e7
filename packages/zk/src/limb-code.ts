/**
 * Arithmetic of BN254's fields on pairs of numbers at once, as WebAssembly: a number is five whole doubles, digits of 51 bits with a sign, the least first, so that products
 * and sums of two numbers have no carries between their digits and need no branch. Two numbers of a pair go through the same steps side by side.
 *
 * A product of two digits has 102 bits. Added to 1.5·2^103, of which the last bit counts 2^51, it leaves its upper half in that double's last bits; what this rounds away is the
 * lower half, exact by a second multiplication that is rounded once (N. Emmart, F. Zheng, C. Weems, "Faster modular exponentiation using double precision floating point arithmetic on the GPU", ARITH 2018). Doubles of one size are
 * added up as words. The product is Montgomery's, with R = 2^255.
 *
 * Numbers stand for themselves modulo p, from -2.6 p to 2.6 p. The product of x and y is at most 0.38 |x| |y| + 0.5 in p's: whole proofs come by with less than 2 p.
 * @module
 */
import { LIMB_BITS, type LimbField, LIMBS } from './limb-field.ts'
import { loadVector, multiplyAdd, shiftWords, vector, VECTOR_BYTES, whole } from './vector-code.ts'
import { type Code, get, set } from './wasm-code.ts'
import type { LocalType } from './wasm-module.ts'

/** Locals of a number's digits. */
export type Limbs = readonly number[]
/** Where the next local is. */
export type NextLocal = (type: LocalType) => number

/** Constants in memory, twice each. */
export interface ConstantPool {
  /** A constant of 64 bits. */
  word(bits: bigint): Code
  /** A double. */
  double(value: number): Code
  /** All of them, as they are to stand. */
  bytes(): Uint8Array
}

/** Constants that are to stand at an address. */
export function createPool(at: number): ConstantPool {
  const places = new Map<bigint, number>()
  const word = (bits: bigint): Code => {
    const known = BigInt.asUintN(64, bits)
    const place = places.get(known) ?? places.size
    places.set(known, place)
    return loadVector(whole(at), VECTOR_BYTES * place)
  }
  return {
    word,
    double: (value) => word(bitsOf(value)),
    bytes: () =>
      new Uint8Array(
        BigUint64Array.from([...places.keys()].flatMap((bits) => [bits, bits])).buffer,
      ),
  }
}

/** Locals for a number. */
export function limbs(next: NextLocal): Limbs {
  return Array.from({ length: LIMBS }, () => next('vector'))
}

/** Arithmetic on locals of one function, which holds its constants in locals too. */
export interface LimbCode {
  /** To be done before all else. */
  readonly start: readonly Code[]
  /** Writes x1·y1 + x2·y2 + … over 2^255. No digit of theirs is above 2^51, nor is one of each pair's above 2^50 where there are two. */
  productSum(pairs: readonly (readonly [Limbs, Limbs])[], to: Limbs): readonly Code[]
  /** Writes x² over 2^255. No digit of x is above 2^50. */
  square(x: Limbs, to: Limbs): readonly Code[]
  /** Takes off p as often as leaves no more than half of it, from a number of up to 2^53 a digit, and carries. */
  reduce(x: Limbs): readonly Code[]
}

/** Writes arithmetic into a function. */
export function limbCode(next: NextLocal, pool: ConstantPool, field: LimbField): LimbCode {
  const start: Code[] = []
  const held = (code: Code): Code => {
    const local = next('vector')
    start.push(set(local, code))
    return get(local)
  }
  const tools: Tools = {
    pool,
    columns: Array.from({ length: 2 * LIMBS }, () => next('vector')),
    upper: next('vector'),
    factor: next('vector'),
    doubled: limbs(next),
    high: held(pool.double(HIGH)),
    both: held(pool.double(HIGH + LOW)),
    mask: held(pool.word(LIMB_MASK)),
    exponent: held(pool.double(ONE_HIGH)),
    inverse: held(pool.double(field.negativeInverse)),
    modulus: field.digits.map((digit) => held(pool.double(digit))),
    multiple: field.multiple.map((digit) => held(pool.double(digit))),
  }
  return {
    start,
    productSum: (pairs, to) => montgomeryOf(tools, rowsOfProducts(pairs), to),
    square(x, to) {
      const twice = x.map((limb, i) =>
        set(tools.doubled[i] ?? 0, vector('add', get(limb), get(limb))),
      )
      return [...twice, ...montgomeryOf(tools, rowsOfSquare(x, tools.doubled), to)]
    },
    reduce: (x) => reduceTo(tools, field, x),
  }
}

/** What a function holds in locals while it multiplies. */
type Tools = {
  readonly pool: ConstantPool
  readonly columns: readonly number[]
  readonly upper: number
  readonly factor: number
  readonly doubled: Limbs
  readonly high: Code
  readonly both: Code
  readonly mask: Code
  readonly exponent: Code
  readonly inverse: Code
  readonly modulus: readonly Code[]
  readonly multiple: readonly Code[]
}

/** Two digits that are multiplied, and the column that the lower half of their product is of. */
type DigitProduct = { readonly x: Code; readonly y: Code; readonly column: number }

/** The upper half's, whose last bit counts 2^51; the lower half's, whose last bit counts 1; and 2^52 itself, in whose last bits a digit without a sign can be put. */
const [HIGH, LOW, ONE_HIGH] = [1.5 * 2 ** 103, 1.5 * 2 ** 52, 2 ** 52]
const LIMB_MASK = (1n << BigInt(LIMB_BITS)) - 1n
const HALF_LIMB = 1n << BigInt(LIMB_BITS - 1)
/** Rows that are cleared by the field's multiple. */
const EASY_ROWS = 3
/** Added to a column, so that what is carried has no sign; and what that makes of the carry. */
const [BIAS, BIAS_CARRIED] = [1n << 62n, 1n << 11n]

function bitsOf(value: number): bigint {
  SHARED_VIEW.setFloat64(0, value)
  return SHARED_VIEW.getBigUint64(0)
}

const SHARED_VIEW = new DataView(new ArrayBuffer(8))

function rowsOfProducts(pairs: readonly (readonly [Limbs, Limbs])[]): readonly DigitProduct[][] {
  return Array.from({ length: LIMBS }, (_, row) =>
    pairs.flatMap(([x, y]) =>
      y.map((limb, i) => ({ x: get(x[row] ?? 0), y: get(limb), column: row + i })),
    ),
  )
}

/** Each product of two digits is taken once, twice as large; it is of the row of the lower one. */
function rowsOfSquare(x: Limbs, doubled: Limbs): readonly DigitProduct[][] {
  return x.map((own, row) =>
    x.slice(row).map((limb, i) => ({
      x: get(i === 0 ? own : (doubled[row] ?? 0)),
      y: get(limb),
      column: 2 * row + i,
    })),
  )
}

/**
 * Adds rows of products to columns, and to each of the lowest five as many times p as makes it zero. In the first three rows it is a multiple of p that is one below a multiple of 2^51: as many times as the
 * digit is, so that nothing waits for a product that says so. It has 51 bits more, which in these rows is still far below p.
 */
function montgomeryOf(tools: Tools, rows: readonly DigitProduct[][], to: Limbs): readonly Code[] {
  const { columns, factor, mask, pool } = tools
  const cleared = (row: number): DigitProduct[] => {
    const [digits, from] = row < EASY_ROWS ? [tools.multiple, row + 1] : [tools.modulus, row]
    return digits.map((digit, i) => ({ x: get(factor), y: digit, column: from + i }))
  }
  const first = firstValues([...rows.flat(), ...rows.flatMap((_, row) => cleared(row))])
  const column = (i: number): number => columns[i] ?? 0
  const steps = rows.flatMap((products, row) => [
    ...products.flatMap((product) => addProduct(tools, product)),
    ...chooseFactor(tools, get(column(row)), row < EASY_ROWS),
    ...cleared(row).flatMap((product) => addProduct(tools, product)),
    carry(tools, row),
  ])
  const shown = to.map((limb, i) => {
    const from = get(column(LIMBS + i))
    // The last one is as large as it is, and has its sign.
    if (i === LIMBS - 1) return [set(limb, vector('subtract', from, pool.double(LOW)))]
    const digit = vector('or', vector('and', from, mask), tools.exponent)
    const balanced = vector('subtract', digit, pool.double(ONE_HIGH + Number(HALF_LIMB)))
    return [carry(tools, LIMBS + i), set(limb, balanced)]
  })
  return [
    ...columns.map((local, i) => set(local, pool.word(first[i] ?? 0n))),
    ...steps,
    ...shown.flat(),
  ]
}

/** What columns begin with: less what all doubles that come to them have as words besides their halves, and more for carries and signs. */
function firstValues(products: readonly DigitProduct[]): readonly bigint[] {
  const values = Array.from({ length: 2 * LIMBS }, () => 0n)
  const add = (column: number, value: bigint): void => {
    values[column] = (values[column] ?? 0n) + value
  }
  const [low, high] = [bitsOf(LOW), bitsOf(HIGH)]
  for (const { column } of products) {
    add(column, -low)
    add(column + 1, -high)
  }
  for (let column = 0; column < 2 * LIMBS - 1; column++) {
    add(column, BIAS + (column < LIMBS ? 0n : HALF_LIMB))
    add(column + 1, -BIAS_CARRIED)
  }
  add(2 * LIMBS - 1, bitsOf(LOW))
  return values
}

function addProduct({ columns, upper, high, both }: Tools, { x, y, column }: DigitProduct): Code[] {
  const [low, next] = [columns[column] ?? 0, columns[column + 1] ?? 0]
  const lower = multiplyAdd(x, y, vector('subtract', both, get(upper)))
  return [
    set(upper, multiplyAdd(x, y, high)),
    set(next, vector('addWords', get(next), get(upper))),
    set(low, vector('addWords', get(low), lower)),
  ]
}

/** How many times p, or in easy rows its multiple, makes a column's digit zero. */
function chooseFactor(
  { upper, factor, high, mask, exponent, inverse }: Tools,
  column: Code,
  isEasy: boolean,
): Code[] {
  const digit = vector('subtract', vector('or', vector('and', column, mask), exponent), exponent)
  if (isEasy) return [set(factor, digit)]
  return [
    set(factor, digit),
    set(upper, multiplyAdd(get(factor), inverse, high)),
    set(factor, multiplyAdd(get(factor), inverse, vector('subtract', high, get(upper)))),
  ]
}

function carry({ columns }: Tools, from: number): Code {
  const [column, next] = [columns[from] ?? 0, columns[from + 1] ?? 0]
  return set(next, vector('addWords', get(next), shiftWords('right', get(column), LIMB_BITS)))
}

function reduceTo(
  { pool, factor, upper, high }: Tools,
  { modulus, digits }: LimbField,
  x: Limbs,
): readonly Code[] {
  const top = x.at(-1) ?? 0
  const share = 2 ** (LIMB_BITS * (LIMBS - 1)) / Number(modulus)
  const rounding = pool.double(LOW)
  const times = multiplyAdd(get(top), pool.double(share), rounding)
  const taken = x.map((limb, i) => {
    const digit = pool.double(-(digits[i] ?? 0))
    return set(limb, multiplyAdd(get(factor), digit, get(limb)))
  })
  const carried = x.slice(1).flatMap((next, i) => {
    const limb = x[i] ?? 0
    const rounded = vector('subtract', vector('add', get(limb), high), high)
    return [
      set(upper, rounded),
      set(limb, vector('subtract', get(limb), get(upper))),
      set(next, multiplyAdd(get(upper), pool.double(2 ** -LIMB_BITS), get(next))),
    ]
  })
  return [set(factor, vector('subtract', times, rounding)), ...taken, ...carried]
}
