/**
 * Just enough of WebAssembly's binary form to write a function over numbers of 64 bits (WebAssembly Core Specification 2.0, §5).
 * @module
 */

/** Instructions: bytes, and other instructions among them. What takes operands holds theirs first. */
export type Code = readonly (number | Code)[]

/** By name, as the specification's §5.4 numbers them. */
const OPCODES = {
  end: 0x0b,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  load: 0x29,
  load32: 0x35,
  store: 0x37,
  constant: 0x42,
  less: 0x54,
  add: 0x7c,
  subtract: 0x7d,
  multiply: 0x7e,
  and: 0x83,
  or: 0x84,
  shiftLeft: 0x86,
  shiftRight: 0x88,
  wrap: 0xa7,
  extend: 0xad,
} as const
/** Of a value of 64 bits. */
const I64_TYPE = 0x7e
const BYTE_BITS = 7n
const [LOW_BITS, MORE] = [0x7fn, 0x80]
const SIGN = 0x40
/** Loads and stores say nothing of how addresses are aligned. */
const ANY_ALIGNMENT = 0

/** All bytes of instructions, one after another. */
export function bytesOf(code: Code): number[] {
  const bytes: number[] = []
  addBytes(code, bytes)
  return bytes
}

function addBytes(code: Code, bytes: number[]): void {
  for (const part of code) {
    if (typeof part === 'number') bytes.push(part)
    else addBytes(part, bytes)
  }
}

/** A number below 2^32 without a sign, in as many bytes as it takes. */
export function unsigned(number: number): readonly number[] {
  const bytes: number[] = []
  let rest = number
  for (; rest >= MORE; rest = Math.floor(rest / MORE)) bytes.push((rest % MORE) | MORE)
  return [...bytes, rest]
}

/** A number with a sign: bits from the 65th on are left out. */
function signed(number: bigint): Code {
  const value = BigInt.asIntN(64, number)
  const low = Number(value & LOW_BITS)
  const rest = value >> BYTE_BITS
  const isLast = rest === ((low & SIGN) === 0 ? 0n : -1n)
  return isLast ? [low] : [low | MORE, ...signed(rest)]
}

/** What a local holds. */
export function get(local: number): Code {
  return [OPCODES.localGet, unsigned(local)]
}

/** Writes a local. */
export function set(local: number, value: Code): Code {
  return [value, OPCODES.localSet, unsigned(local)]
}

/** A number of 64 bits. */
export function constant(value: bigint): Code {
  return [OPCODES.constant, signed(value)]
}

/** Eight bytes of memory, the least first. */
export function load(at: Code, offset: number): Code {
  return [at, OPCODES.load, ANY_ALIGNMENT, unsigned(offset)]
}

/** Four bytes of memory. */
export function load32(at: Code, offset: number): Code {
  return [at, OPCODES.load32, ANY_ALIGNMENT, unsigned(offset)]
}

/** Writes eight bytes. */
export function store(at: Code, offset: number, value: Code): Code {
  return [at, value, OPCODES.store, ANY_ALIGNMENT, unsigned(offset)]
}

/** Operations on two numbers of 64 bits, of which bits from the 65th on are left out. */
export type Operation = 'add' | 'subtract' | 'multiply' | 'and' | 'or' | 'shiftLeft' | 'shiftRight'

/** One operation. */
export function op(name: Operation, left: Code, right: Code): Code {
  return [left, right, OPCODES[name]]
}

/** 1 when a number, without a sign, is less than another; 0 otherwise. */
export function isLess(left: Code, right: Code): Code {
  return [left, right, OPCODES.less, OPCODES.extend]
}

/** One of two numbers: the first unless the condition is 0. */
export function choose(first: Code, second: Code, condition: Code): Code {
  return [first, second, condition, OPCODES.wrap, OPCODES.select]
}

/** A function's body, with so many locals of 64 bits after its parameters. */
export function functionBody(locals: number, code: readonly Code[]): readonly number[] {
  return bytesOf([1, unsigned(locals), I64_TYPE, code, OPCODES.end])
}
