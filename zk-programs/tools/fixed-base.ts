/**
 * Multiplies one curve point by many scalars: a table of `d · 2^(10w) · G` for each ten bits of a scalar, then at most 26 additions a scalar, in the
 * curve library's own memory. Many times faster than a general multiplication, and fast is all that a development set-up wants.
 */
import { buildBn128 } from 'ffjavascript'
import type { Curve, WasmGroup } from 'ffjavascript'

const WINDOW_BITS = 10n
const WINDOW_MASK = (1n << WINDOW_BITS) - 1n
/** Of 254 bits. */
const WINDOWS = 26
const DIGITS = Number(WINDOW_MASK)
/** Points that are turned affine together. */
const CHUNK = 4096
/** 64 KiB each: both tables and a chunk of points. */
const MEMORY_PAGES = 300

/** Bytes of an affine point. */
export const G1_BYTES = 64
export const G2_BYTES = 128

/** Returns the affine points `scalar · G`, one behind the other, in the library's Montgomery form. */
export type FixedBase = (scalars: readonly bigint[]) => Uint8Array

/** The curve, and multiplication of its two generators. */
export type FixedBases = { readonly curve: Curve; readonly g1: FixedBase; readonly g2: FixedBase }

/** Builds both tables, in a tenth of a second or some. */
export async function createFixedBases(): Promise<FixedBases> {
  const curve = await buildBn128(true)
  curve.tm.memory.grow(MEMORY_PAGES)
  curve.tm.u8 = new Uint8Array(curve.tm.memory.buffer)
  curve.tm.u32 = new Uint32Array(curve.tm.memory.buffer)
  const g1 = createFixedBase(curve, curve.G1, G1_BYTES / 2)
  const g2 = createFixedBase(curve, curve.G2, G2_BYTES / 2)
  return { curve, g1, g2 }
}

function createFixedBase(curve: Curve, group: WasmGroup, coordinateBytes: number): FixedBase {
  const { tm } = curve
  const exports = tm.instance.exports
  const run = (name: string, ...args: number[]): void =>
    exports[`${group.prefix}_${name}`]?.(...args)
  const affineBytes = 2 * coordinateBytes
  const jacobianBytes = 3 * coordinateBytes
  const table = tableOf(curve, group, coordinateBytes)
  const accumulators = tm.alloc(CHUNK * jacobianBytes)
  const affine = tm.alloc(CHUNK * affineBytes)
  const multiply = (scalar: bigint, at: number): void => {
    run('zero', at)
    let rest = scalar
    for (let window = 0; rest > 0n; window++, rest >>= WINDOW_BITS) {
      const digit = Number(rest & WINDOW_MASK)
      if (digit > 0) run('addMixed', at, table + (window * DIGITS + digit - 1) * affineBytes, at)
    }
  }
  return (scalars) => {
    const points = new Uint8Array(scalars.length * affineBytes)
    for (let first = 0; first < scalars.length; first += CHUNK) {
      const some = scalars.slice(first, first + CHUNK)
      some.forEach((scalar, i) => multiply(scalar, accumulators + i * jacobianBytes))
      run('batchToAffine', accumulators, some.length, affine)
      points.set(tm.getBuff(affine, some.length * affineBytes), first * affineBytes)
    }
    return points
  }
}

/** Where the multiples stand in the library's memory, affine. */
function tableOf({ tm }: Curve, group: WasmGroup, coordinateBytes: number): number {
  const run = (name: string, ...args: number[]): void =>
    tm.instance.exports[`${group.prefix}_${name}`]?.(...args)
  const affineBytes = 2 * coordinateBytes
  const jacobianBytes = 3 * coordinateBytes
  const entries = WINDOWS * DIGITS
  const table = tm.alloc(entries * affineBytes)
  const rough = tm.alloc(entries * jacobianBytes)
  const zero = tm.alloc(jacobianBytes)
  const next = tm.alloc(jacobianBytes)
  const base = tm.alloc(affineBytes)
  run('zero', zero)
  tm.setBuff(base, group.gAffine)
  for (let window = 0; window < WINDOWS; window++) {
    let sum = zero
    for (let digit = 0; digit < DIGITS; digit++) {
      const entry = rough + (window * DIGITS + digit) * jacobianBytes
      run('addMixed', sum, base, entry)
      sum = entry
    }
    run('addMixed', sum, base, next)
    run('normalize', next, next)
    tm.setBuff(base, tm.getBuff(next, affineBytes))
  }
  run('batchToAffine', rough, entries, table)
  return table
}
