/**
 * Sums and differences of numbers of 256 bits, as WebAssembly: four words of 64 bits in locals, the lowest first; and of numbers modulo a prime, the library's to the bit, but
 * without a branch: which way it goes is as good as random, and a wrong guess costs more than the sum.
 * @module
 */
import {
  choose,
  type Code,
  constant,
  functionBody,
  get,
  isLess,
  load,
  op,
  set,
  store,
} from './wasm-code.ts'

const WORDS = 4
const WORD_BITS = 64
const WORD_BYTES = 8

/** Where a sum or a difference goes: its words, 1 or 0 for what is carried over or borrowed at last, and a local that is used on the way. */
export type WordsTo = {
  readonly words: readonly number[]
  readonly carry: number
  readonly scratch: number
}

/** Locals for a result, from one on. */
export function wordsFrom(local: number): WordsTo {
  const words = Array.from({ length: WORDS }, (_, i) => local + i)
  return { words, carry: local + WORDS, scratch: local + WORDS + 1 }
}

/** Locals that one result takes. */
export const WORDS_LOCALS: number = WORDS + 2

/** A constant's words. */
export function constantWords(number: bigint): readonly Code[] {
  return Array.from({ length: WORDS }, (_, i) =>
    constant(BigInt.asUintN(WORD_BITS, number >> BigInt(WORD_BITS * i))),
  )
}

/** Writes x plus y. */
function addWords(x: readonly Code[], y: readonly Code[], to: WordsTo): Code[] {
  const { words, carry, scratch } = to
  return words.flatMap((word, i) => {
    const [a = [], b = []] = [x[i], y[i]]
    const first = set(scratch, op('add', a, b))
    const isOver = isLess(get(scratch), a)
    if (i === 0) return [first, set(word, get(scratch)), set(carry, isOver)]
    const next = set(word, op('add', get(scratch), get(carry)))
    return [first, next, set(carry, op('or', isOver, isLess(get(word), get(carry))))]
  })
}

/** Writes x less y. */
export function subtractWords(x: readonly Code[], y: readonly Code[], to: WordsTo): Code[] {
  const { words, carry, scratch } = to
  return words.flatMap((word, i) => {
    const [a = [], b = []] = [x[i], y[i]]
    const first = set(scratch, op('subtract', a, b))
    const isOver = isLess(a, b)
    if (i === 0) return [first, set(word, get(scratch)), set(carry, isOver)]
    const next = set(word, op('subtract', get(scratch), get(carry)))
    return [first, next, set(carry, op('or', isOver, isLess(get(scratch), get(carry))))]
  })
}

/** Writes one of two numbers to an address: the first unless the condition is 0. */
export function storeEither(
  at: number,
  first: readonly number[],
  second: readonly number[],
  condition: Code,
): Code[] {
  return first.map((word, i) =>
    store(get(at), WORD_BYTES * i, choose(get(word), get(second[i] ?? 0), condition)),
  )
}

const [X, Y, TO] = [0, 1, 2]
const PARAMETERS = 3

/** `(x, y, to)`: writes x + y at `to`, less the modulus when it is not below. */
export function additionCode(modulus: bigint): readonly number[] {
  const { x, y, loads, next } = loadBoth()
  const [sum, less] = [wordsFrom(next), wordsFrom(next + WORDS_LOCALS)]
  const isBelow = isLess(get(sum.carry), get(less.carry))
  return functionBody(next + 2 * WORDS_LOCALS - PARAMETERS, [
    ...loads,
    ...addWords(x, y, sum),
    ...subtractWords(sum.words.map(get), constantWords(modulus), less),
    ...storeEither(TO, sum.words, less.words, isBelow),
  ])
}

/** `(x, y, to)`: writes x - y at `to`, and the modulus more when y is greater. */
export function subtractionCode(modulus: bigint): readonly number[] {
  const { x, y, loads, next } = loadBoth()
  const [difference, more] = [wordsFrom(next), wordsFrom(next + WORDS_LOCALS)]
  return functionBody(next + 2 * WORDS_LOCALS - PARAMETERS, [
    ...loads,
    ...subtractWords(x, y, difference),
    ...addWords(difference.words.map(get), constantWords(modulus), more),
    ...storeEither(TO, more.words, difference.words, get(difference.carry)),
  ])
}

/** Both numbers in locals, and the first local that is free. */
function loadBoth() {
  const place = (at: number): number => PARAMETERS + WORDS * at
  const words = (at: number): number[] => Array.from({ length: WORDS }, (_, i) => place(at) + i)
  const loads = [X, Y].flatMap((at) =>
    words(at).map((word, i) => set(word, load(get(at), WORD_BYTES * i))),
  )
  return { x: words(X).map(get), y: words(Y).map(get), loads, next: place(TO) }
}
