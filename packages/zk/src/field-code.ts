/**
 * Multiplication in a prime field, as WebAssembly: the library's own (Montgomery's, with R = 2^256 and numbers of 32 bytes, least first) to the bit, but with digits of 29 bits, of
 * which eighteen products and what is carried fit in 64 bits, so that nothing is carried within a row. It takes 0.6 of the time.
 *
 * A row adds a digit of x times y, and as many times the modulus as make the lowest digit zero, which then is shifted out. Eight rows shift 29 bits each and the last one 24: 256.
 * @module
 */
import { type Code, constant, functionBody, get, load, load32, op, set } from './wasm-code.ts'
import {
  constantWords,
  storeEither,
  subtractWords,
  WORDS_LOCALS,
  wordsFrom,
  type WordsTo,
} from './word-code.ts'

const LIMBS = 9
const LIMB_BITS = 29
/** That the last row shifts out. */
const LAST_BITS = 24
const LIMB_MASK = (1n << BigInt(LIMB_BITS)) - 1n
/** Of a number: words of 64 bits in memory. */
const WORDS = 4
const WORD_BITS = 64
const WORD_BYTES = 8
/** Where the last digit begins: in the byte after this one's. */
const LAST_LIMB_AT = 28

/** Locals of the functions after their parameters. */
type Locals = {
  readonly x: readonly number[]
  /** The same as x where a number is squared. */
  readonly y: readonly number[]
  /** What is summed so far. */
  readonly sum: readonly number[]
  readonly factor: number
  readonly words: readonly number[]
  /** These less the modulus. */
  readonly less: WordsTo
}

/** `(x, y, to)`: writes x·y/2^256 at `to`, below the modulus, when one of the two numbers is below it. The modulus is odd and below 2^254. */
export function multiplicationCode(modulus: bigint): Code {
  const [x, y, to] = [0, 1, 2]
  const { locals, count } = localsAfter(3)
  return functionBody(count, [
    ...readLimbs(x, locals.x),
    ...readLimbs(y, locals.y),
    ...rows(modulus, locals, productsOfRow),
    ...writeReduced(modulus, locals, to),
  ])
}

/** `(x, to)`: writes x²/2^256 at `to`, below the modulus, when x is below it. */
export function squareCode(modulus: bigint): Code {
  const [x, to] = [0, 1]
  const { locals, count } = localsAfter(2)
  return functionBody(count, [
    ...readLimbs(x, locals.x),
    ...rows(modulus, locals, squaresOfRow),
    ...writeReduced(modulus, locals, to),
  ])
}

function localsAfter(parameters: number): { readonly locals: Locals; readonly count: number } {
  let next = parameters
  const some = (count: number): number[] => Array.from({ length: count }, () => next++)
  const locals = {
    x: some(LIMBS),
    y: some(LIMBS),
    sum: some(LIMBS),
    factor: next++,
    words: some(WORDS),
    less: wordsFrom(next),
  }
  return { locals, count: next + WORDS_LOCALS - parameters }
}

/** Digits of the number at an address. */
function readLimbs(at: number, limbs: readonly number[]): Code[] {
  return limbs.map((limb, i) => {
    if (i === LIMBS - 1)
      return set(
        limb,
        shift('shiftRight', load32(get(at), LAST_LIMB_AT), LIMB_BITS * i - 8 * LAST_LIMB_AT),
      )
    // No byte behind the number is read.
    const from = Math.min((LIMB_BITS * i) >> 3, WORD_BYTES * (WORDS - 1))
    const word = shift('shiftRight', load(get(at), from), LIMB_BITS * i - 8 * from)
    return set(limb, op('and', word, constant(LIMB_MASK)))
  })
}

/** Adds a row's products, by the digit of the sum. Its last one holds none yet; in the first row none does. */
type RowProducts = (locals: Locals, row: number) => Code[]

function productsOfRow({ x, y, sum }: Locals, row: number): Code[] {
  return sum.map((to, j) =>
    addTo(to, op('multiply', get(x[row] ?? 0), get(y[j] ?? 0)), row === 0 || j === LIMBS - 1),
  )
}

/** Each product of two digits is taken once, twice as large; it is of the row of the lower one. */
function squaresOfRow({ x, sum }: Locals, row: number): Code[] {
  const own = x[row] ?? 0
  const twice = shift('shiftLeft', get(own), 1)
  return sum.map((to, j) => {
    if (j < row) return []
    const product = op('multiply', j === row ? get(own) : twice, get(x[j] ?? 0))
    return addTo(to, product, row === 0 || j === LIMBS - 1)
  })
}

function addTo(to: number, value: Code, isNew: boolean): Code {
  return set(to, isNew ? value : op('add', value, get(to)))
}

function rows(modulus: bigint, locals: Locals, products: RowProducts): Code[] {
  return locals.x.flatMap((_, row) => {
    const isLast = row === LIMBS - 1
    // What the others wait for comes first.
    const [first = [], ...others] = products(locals, row)
    const factor = chooseFactor(modulus, locals, isLast ? LAST_BITS : LIMB_BITS)
    return [first, factor, ...others, ...clearLowest(modulus, locals, isLast)]
  })
}

/** How many times the modulus makes so many of the lowest bits zero. */
function chooseFactor(modulus: bigint, { sum, factor }: Locals, bits: number): Code {
  const times = op('multiply', get(sum[0] ?? 0), constant(negativeInverse(modulus)))
  return set(factor, op('and', times, constant((1n << BigInt(bits)) - 1n)))
}

/** Adds the modulus so many times. All but the last time the sum loses a digit then. */
function clearLowest(modulus: bigint, { sum, factor }: Locals, isLast: boolean): Code[] {
  const total = (j: number): Code => {
    const limb = (modulus >> BigInt(LIMB_BITS * j)) & LIMB_MASK
    return op('add', get(sum[j] ?? 0), op('multiply', get(factor), constant(limb)))
  }
  if (isLast) return sum.map((to, j) => set(to, total(j)))
  const carried = shift('shiftRight', total(0), LIMB_BITS)
  return sum.slice(0, -1).map((to, j) => {
    return set(to, j === 0 ? op('add', carried, total(1)) : total(j + 1))
  })
}

/** -1/modulus for the lowest digit. */
function negativeInverse(modulus: bigint): bigint {
  let inverse = 1n
  // Each step doubles the bits that are right.
  for (let bits = 1; bits < LIMB_BITS; bits *= 2)
    inverse = (inverse * (2n - modulus * inverse)) & LIMB_MASK
  return -inverse & LIMB_MASK
}

/** The sum without its 24 lowest bits is below twice the modulus: writes it, less the modulus when it is not below. */
function writeReduced(modulus: bigint, locals: Locals, to: number): Code[] {
  const { sum, words, less } = locals
  const carries = sum.slice(1).flatMap((next, j) => {
    const limb = get(sum[j] ?? 0)
    const carried = op('add', get(next), shift('shiftRight', limb, LIMB_BITS))
    return [set(next, carried), set(sum[j] ?? 0, op('and', limb, constant(LIMB_MASK)))]
  })
  return [
    ...carries,
    ...words.map((word, i) => set(word, wordOf(sum, i))),
    ...subtractWords(words.map(get), constantWords(modulus), less),
    ...storeEither(to, words, less.words, get(less.carry)),
  ]
}

/** One word of the sum, from digits without carries but the last, which holds all that is left. */
function wordOf(sum: readonly number[], word: number): Code {
  const from = LAST_BITS + WORD_BITS * word
  const parts = sum.flatMap((limb, j) => {
    const place = LIMB_BITS * j - from
    const end = j === LIMBS - 1 ? WORD_BITS : place + LIMB_BITS
    if (place >= WORD_BITS || end <= 0) return []
    return [shift(place < 0 ? 'shiftRight' : 'shiftLeft', get(limb), Math.abs(place))]
  })
  return parts.reduce((all, part) => op('or', all, part))
}

function shift(way: 'shiftLeft' | 'shiftRight', value: Code, bits: number): Code {
  return bits === 0 ? value : op(way, value, constant(BigInt(bits)))
}
