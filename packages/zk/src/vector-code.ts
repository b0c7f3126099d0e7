/**
 * WebAssembly over pairs of numbers (Core Specification 3.0, vector instructions; `relaxed_madd` is of its relaxed ones): two doubles, or two words of 64 bits, that are worked on
 * together. Addresses and counts are words of 32 bits.
 * @module
 */
import { type Code, unsigned } from './wasm-code.ts'

/** Before a vector instruction's own number. */
const VECTOR = 0xfd
const VECTOR_OPS = {
  and: 0x4e,
  or: 0x50,
  xor: 0x51,
  /** Of words. */
  addWords: 0xce,
  subtractWords: 0xd1,
  /** Of doubles, as the next two. */
  add: 0xf0,
  subtract: 0xf1,
  multiply: 0xf2,
} as const
const [LOAD, STORE, LOAD_FIRST, LOAD_LANE, STORE_LANE] = [0x00, 0x0b, 0x5d, 0x57, 0x5b]
const [SPLAT_WORD, REPLACE_WORD, MADD] = [0x12, 0x1e, 0x107]
const SHIFTS = { left: 0xcb, right: 0xcd, rightWithSign: 0xcc } as const
const [I32_CONSTANT, I32_LOAD, I32_LOAD_BYTE, I64_CONSTANT] = [0x41, 0x28, 0x2d, 0x42]
const [I32_ADD, I32_SUBTRACT, I32_AND, I32_NOT_EQUAL] = [0x6a, 0x6b, 0x71, 0x47]
const [I64_SHIFT_LEFT, I64_EXTEND] = [0x86, 0xad]
/** With their sign, as constants have it. */
const [SIGN_BIT, MINUS_TWO] = [63, 0x7e]
const [LOOP, IF, NOTHING, BRANCH_IF, END, CALL] = [0x03, 0x04, 0x40, 0x0d, 0x0b, 0x10]
/** Loads and stores say nothing of how addresses are aligned. */
const ANY_ALIGNMENT = 0

/** Bytes of a pair of numbers of 64 bits. */
export const VECTOR_BYTES = 16

/** Operations on two vectors. */
export type VectorOperation = keyof typeof VECTOR_OPS

/** One operation. */
export function vector(name: VectorOperation, left: Code, right: Code): Code {
  return [left, right, VECTOR, unsigned(VECTOR_OPS[name])]
}

/** x·y + z of doubles, rounded once; on some machines also after the product: who needs the one has to look. */
export function multiplyAdd(x: Code, y: Code, z: Code): Code {
  return [x, y, z, VECTOR, unsigned(MADD)]
}

/** Words, shifted. */
export function shiftWords(way: keyof typeof SHIFTS, words: Code, bits: number): Code {
  return bits === 0 ? words : [words, whole(bits), VECTOR, unsigned(SHIFTS[way])]
}

/** Sixteen bytes of memory. */
export function loadVector(at: Code, offset: number): Code {
  return [at, VECTOR, LOAD, ANY_ALIGNMENT, unsigned(offset)]
}

/** Writes sixteen bytes. */
export function storeVector(at: Code, offset: number, value: Code): Code {
  return [at, value, VECTOR, STORE, ANY_ALIGNMENT, unsigned(offset)]
}

/** Eight bytes of each of two places. */
export function loadPair(first: Code, second: Code, offset: number): Code {
  const one = [first, VECTOR, LOAD_FIRST, ANY_ALIGNMENT, unsigned(offset)]
  return [second, one, VECTOR, LOAD_LANE, ANY_ALIGNMENT, unsigned(offset), 1]
}

/** Writes eight bytes to each of two places: the value is worked out for each. */
export function storePair(first: Code, second: Code, offset: number, value: Code): Code {
  return [first, second].flatMap((at, lane) => [
    at,
    value,
    VECTOR,
    STORE_LANE,
    ANY_ALIGNMENT,
    unsigned(offset),
    lane,
  ])
}

/** The lowest bits of two addresses as the signs of two doubles. */
export function signsOf(first: Code, second: Code): Code {
  const sign = (at: Code): Code => [at, I64_EXTEND, I64_CONSTANT, SIGN_BIT, I64_SHIFT_LEFT]
  return [sign(first), VECTOR, SPLAT_WORD, sign(second), VECTOR, REPLACE_WORD, 1]
}

/** An address or a count: below 2^31. */
export function whole(value: number): Code {
  // It has a sign: a seventh bit at its end would be one.
  const bytes = unsigned(value)
  const last = bytes.at(-1) ?? 0
  return [I32_CONSTANT, ...(last < 0x40 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0])]
}

/** An address so many bytes behind another. */
export function after(at: Code, bytes: number): Code {
  return bytes === 0 ? at : [at, whole(bytes), I32_ADD]
}

/** An address so many bytes before another. */
export function before(at: Code, bytes: number): Code {
  return [at, whole(bytes), I32_SUBTRACT]
}

/** The sum of two addresses. */
export function plus(at: Code, more: Code): Code {
  return [at, more, I32_ADD]
}

/** An address without its lowest bit. */
export function even(at: Code): Code {
  return [at, I32_CONSTANT, MINUS_TWO, I32_AND]
}

/** Four bytes of memory as an address. */
export function loadAddress(at: Code, offset: number): Code {
  return [at, I32_LOAD, ANY_ALIGNMENT, unsigned(offset)]
}

/** Does something, and again until two addresses are the same. */
export function untilSame(code: readonly Code[], one: Code, other: Code): Code {
  return [LOOP, NOTHING, code, one, other, I32_NOT_EQUAL, BRANCH_IF, 0, END]
}

/** Does something when a byte of memory is not zero. */
export function whenByte(at: Code, offset: number, code: Code): Code {
  return [at, I32_LOAD_BYTE, ANY_ALIGNMENT, unsigned(offset), IF, NOTHING, code, END]
}

/** Calls a function of the module, which gives nothing back, by its place in it. */
export function call(place: number, ...operands: readonly Code[]): Code {
  return [operands, CALL, unsigned(place)]
}
