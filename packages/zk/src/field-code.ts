/**
 * Multiplication in a prime field, as WebAssembly: the library's own (Montgomery's, with R = 2^256 and numbers of 32 bytes, least first) to the bit, but with digits of 29 bits, of
 * which eighteen products and what is carried fit in 64 bits, so that nothing is carried within a row. It takes 0.6 of the time.
 *
 * A row adds a digit of x times y, and as many times the modulus as make the lowest digit zero, which then is shifted out. Eight rows shift 29 bits each and the last one 24: 256.
 * @module
 */
import {
  choose,
  type Code,
  constant,
  functionBody,
  get,
  load,
  load32,
  op,
  set,
} from './wasm-code.ts'
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
const NUMBER_BYTES = 32
const NUMBER_BITS = 256n
/** Of one sum. */
const MAX_PAIRS = 6
/** Where the last digit begins: in the byte after this one's. */
const LAST_LIMB_AT = 28

/** Locals of the functions after their parameters. */
type Locals = {
  /** Of each pair, the digits. */
  readonly x: readonly (readonly number[])[]
  /** Not used where a number is squared. */
  readonly y: readonly (readonly number[])[]
  /** What is summed so far. */
  readonly sum: readonly number[]
  readonly factor: number
  readonly words: readonly number[]
  /** These less the modulus. */
  readonly less: WordsTo
}

/** `(x, y, to)`: writes x·y/2^256 at `to`, below the modulus, when one of the two numbers is below it. The modulus is odd and below 2^254. */
export function multiplicationCode(modulus: bigint): readonly number[] {
  return productSumCode(modulus, 1)
}

/** `(x, y, to)`: writes (x1·y1 + x2·y2 + …)/2^256 at `to`, below the modulus, of up to six pairs of numbers below it. They stand one after another at x, and at y. */
export function productSumCode(modulus: bigint, pairs: number): readonly number[] {
  // One more is added each row: 7 · 9 products and what is carried are below 2^64.
  if (pairs > MAX_PAIRS) throw new RangeError('products that do not fit')
  const [x, y, to] = [0, 1, 2]
  const { locals, count } = localsAfter(3, pairs)
  const read = (at: number, numbers: readonly (readonly number[])[]): Code[] =>
    numbers.flatMap((limbs, i) => readLimbs(at, limbs, i * NUMBER_BYTES))
  return functionBody(count, [
    ...read(x, locals.x),
    ...read(y, locals.y),
    ...rows(modulus, locals, productsOfRow),
    ...writeReduced(modulus, locals, to),
  ])
}

/** `(x, to)`: writes x²/2^256 at `to`, below the modulus, when x is below it. */
export function squareCode(modulus: bigint): readonly number[] {
  const [x, to] = [0, 1]
  const { locals, count } = localsAfter(2, 1)
  return functionBody(count, [
    ...readLimbs(x, locals.x[0] ?? [], 0),
    ...rows(modulus, locals, squaresOfRow),
    ...writeReduced(modulus, locals, to),
  ])
}

function localsAfter(
  parameters: number,
  pairs: number,
): { readonly locals: Locals; readonly count: number } {
  let next = parameters
  const some = (count: number): number[] => Array.from({ length: count }, () => next++)
  const locals = {
    x: Array.from({ length: pairs }, () => some(LIMBS)),
    y: Array.from({ length: pairs }, () => some(LIMBS)),
    sum: some(LIMBS),
    factor: next++,
    words: some(WORDS),
    less: wordsFrom(next),
  }
  return { locals, count: next + WORDS_LOCALS - parameters }
}

/** Digits of the number so many bytes after an address. */
function readLimbs(at: number, limbs: readonly number[], offset: number): Code[] {
  return limbs.map((limb, i) => {
    const bit = LIMB_BITS * i
    if (i === LIMBS - 1) {
      const half = load32(get(at), offset + LAST_LIMB_AT)
      return set(limb, shift('shiftRight', half, bit - 8 * LAST_LIMB_AT))
    }
    // No byte behind the number is read.
    const from = Math.min(bit >> 3, WORD_BYTES * (WORDS - 1))
    const word = shift('shiftRight', load(get(at), offset + from), bit - 8 * from)
    return set(limb, op('and', word, constant(LIMB_MASK)))
  })
}

/** Adds a row's products, by the digit of the sum. Its last one holds none yet; in the first row none does. */
type RowProducts = (locals: Locals, row: number) => Code[]

function productsOfRow({ x, y, sum }: Locals, row: number): Code[] {
  return sum.map((to, j) =>
    x.flatMap((digits, pair) => {
      const product = op('multiply', get(digits[row] ?? 0), get(y[pair]?.[j] ?? 0))
      return addTo(to, product, pair === 0 && (row === 0 || j === LIMBS - 1))
    }),
  )
}

/** Each product of two digits is taken once, twice as large; it is of the row of the lower one. */
function squaresOfRow({ x: [x = []], sum }: Locals, row: number): Code[] {
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
  return locals.sum.flatMap((_, row) => {
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

/** The sum without its 24 lowest bits is below twice the modulus, or a little more times it: writes it, less the modulus as often as it is not below. */
function writeReduced(modulus: bigint, locals: Locals, to: number): Code[] {
  const { x, sum, words, less } = locals
  const carries = sum.slice(1).flatMap((next, j) => {
    const limb = get(sum[j] ?? 0)
    const carried = op('add', get(next), shift('shiftRight', limb, LIMB_BITS))
    return [set(next, carried), set(sum[j] ?? 0, op('and', limb, constant(LIMB_MASK)))]
  })
  const subtract = subtractWords(words.map(get), constantWords(modulus), less)
  const isBelow = get(less.carry)
  const keep = words.map((word, i) =>
    set(word, choose(get(word), get(less.words[i] ?? 0), isBelow)),
  )
  // Each product adds up to the modulus times itself over 2^256; what clears the lowest bits, one modulus.
  const more = Number((BigInt(x.length) * modulus) >> NUMBER_BITS)
  return [
    ...carries,
    ...words.map((word, i) => set(word, wordOf(sum, i))),
    ...Array.from({ length: more }, () => [...subtract, ...keep]).flat(),
    ...subtract,
    ...storeEither(to, words, less.words, isBelow),
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
