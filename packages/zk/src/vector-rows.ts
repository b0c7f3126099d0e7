/**
 * The transforms of a proof's rows (quotient.ts) by the engine's vectors (transform-code.ts): a fifth of the time that the library takes, with a table of all roots of unity.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES } from './curve-memory.ts'
import { LIMB_RADIX, LIMBS } from './limb-field.ts'
import { balancedDigits, NUMBER_BYTES, PAIR_BYTES } from './number-code.ts'
import { SCALAR_ORDER } from './proof.ts'
import { inverse, rootOfUnity } from './scalar.ts'
import { TRANSFORM_ROOM_BYTES, transformCode } from './transform-code.ts'

/** Bytes of memory that it takes. */
export function vectorRowsBytes(rows: number): number {
  const numbers = 3 * rows + rows / 2 + 2 + rows
  return ALIGNMENT + TRANSFORM_ROOM_BYTES + 2 * PAIR_BYTES + numbers * NUMBER_BYTES
}

/** Opens it for so many rows: a power of two, four or more. The first array is written over. */
export function createVectorRows(curve: CurveMemory, rows: number): (a: number, b: number) => void {
  const at = Math.ceil(curve.alloc(vectorRowsBytes(rows)) / ALIGNMENT) * ALIGNMENT
  const functions = open(curve, at)
  const pairs = at + TRANSFORM_ROOM_BYTES
  const [bytes, roots] = [rows * NUMBER_BYTES, pairs + 2 * PAIR_BYTES]
  const shifts = roots + (rows / 2 + 2) * NUMBER_BYTES
  const arrays = [1, 2, 3].map((i) => shifts + i * bytes)
  const [x = 0, y = 0, z = 0] = arrays
  const write = createPowers(curve, functions, pairs)
  write(rootOfUnity(rows), 1n, rows / 2 + 2, (i) => roots + i * NUMBER_BYTES)
  const indexOf = createReversal(rows)
  write(
    rootOfUnity(2 * rows),
    inverse(BigInt(rows)),
    rows,
    (i) => shifts + indexOf(i) * NUMBER_BYTES,
  )
  const shift = createShift(functions, rows, { roots, shifts })
  return (a, b) => {
    functions.read(a, a + rows * ELEMENT_BYTES, x)
    functions.read(b, b + rows * ELEMENT_BYTES, y)
    // A row holds where the third matrix is what the others' product is.
    functions.multiplyAll(x, x + bytes, y, z)
    for (const array of arrays) shift(array)
    functions.write(x, x + bytes, y, z, a)
  }
}

type Functions = Readonly<
  Record<
    'read' | 'multiply' | 'multiplyAll' | 'down' | 'up' | 'ends' | 'write',
    (...at: number[]) => void
  >
>

/** Of what is loaded at once, or lies in one line of a cache. */
const ALIGNMENT = 64

function open(curve: CurveMemory, at: number): Functions {
  const { module, room } = transformCode(at)
  new Uint8Array(curve.view.buffer).set(room, at)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), {
    env: { memory: curve.memory },
  })
  return exports as Functions
}

/** Takes values at all roots of unity to those at the odd powers of a root of twice as many. */
function createShift(
  { down, up, ends, multiplyAll }: Functions,
  rows: number,
  { roots, shifts }: { readonly roots: number; readonly shifts: number },
): (at: number) => void {
  const bytes = rows * NUMBER_BYTES
  return (at) => {
    const end = at + bytes
    for (let half = bytes / 2; half > NUMBER_BYTES; half /= 2) {
      const step = (bytes / 2 / half) * NUMBER_BYTES
      // The inverse of a root is the opposite of the one that is as far from the other end.
      down(at, end, half, roots + bytes / 2, -step)
    }
    ends(at, end)
    multiplyAll(at, end, shifts, at)
    ends(at, end)
    for (let half = 2 * NUMBER_BYTES; half < bytes; half *= 2)
      up(at, end, half, roots, (bytes / 2 / half) * NUMBER_BYTES)
  }
}

/** Writes powers of a number, times another, each to its place: two at a time. */
function createPowers(
  curve: CurveMemory,
  { multiply }: Functions,
  pairs: number,
): (base: bigint, first: bigint, count: number, placeOf: (i: number) => number) => void {
  const [pair, factor] = [pairs, pairs + PAIR_BYTES]
  const place = (at: number, lane: number, value: bigint): void => {
    const digits = balancedDigits(value * LIMB_RADIX, SCALAR_ORDER)
    for (const [i, digit] of digits.entries())
      curve.view.setFloat64(at + 16 * i + 8 * lane, digit, true)
  }
  return (base, first, count, placeOf) => {
    for (const lane of [0, 1]) {
      place(pair, lane, lane === 0 ? first : first * base)
      place(factor, lane, base * base)
    }
    const doubles = new Float64Array(curve.view.buffer)
    for (let i = 0; i < count; i += 2) {
      for (const lane of [0, 1]) {
        const [from, to] = [pair / 8 + lane, placeOf(i + lane) / 8]
        for (let digit = 0; digit < LIMBS; digit++)
          doubles[to + digit] = doubles[from + 2 * digit] ?? 0
      }
      multiply(pair, factor, pair)
    }
  }
}

/** Where a number stands whose index' bits are reversed. */
function createReversal(count: number): (i: number) => number {
  const bits = Math.log2(count)
  return (i) => {
    let reversed = 0
    for (let bit = 0; bit < bits; bit++) reversed = (reversed << 1) | ((i >> bit) & 1)
    return reversed
  }
}
