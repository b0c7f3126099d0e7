/**
 * Sums of a few points that never change, each times a number below the scalars' order: with all multiples by a digit of four bits in memory, a sum takes one addition for each
 * digit that is not zero and nothing else.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES } from './curve-memory.ts'

/** Adds the points times these scalars, one for each, to the Jacobian point at `to`. */
export type FixedSum = (scalars: readonly bigint[], to: number) => void

const DIGIT_BITS = 4
const MULTIPLES = 2 ** DIGIT_BITS - 1
const DIGITS = 256 / DIGIT_BITS
const AFFINE_BYTES = 2 * ELEMENT_BYTES
const JACOBIAN_BYTES = 3 * ELEMENT_BYTES

/** Bytes of memory that the tables of so many points take, with what computing them does. */
export function fixedSumBytes(points: number): number {
  return points * DIGITS * MULTIPLES * AFFINE_BYTES + MULTIPLES * JACOBIAN_BYTES + AFFINE_BYTES
}

/** Computes the tables of affine points of the first group that stand one after another. */
export function createFixedSum(curve: CurveMemory, points: number, count: number): FixedSum {
  const tables = Array.from({ length: count }, () => curve.alloc(DIGITS * MULTIPLES * AFFINE_BYTES))
  const fill = createFiller(curve)
  for (const [i, table] of tables.entries()) fill(points + AFFINE_BYTES * i, table)
  const add = curve.call('g1m_addMixed')
  return (scalars, to) => {
    for (const [i, scalar] of scalars.entries()) {
      let row = tables[i] ?? 0
      for (const digit of digitsOf(scalar)) {
        if (digit > 0) add(to, row + AFFINE_BYTES * (digit - 1), to)
        row += MULTIPLES * AFFINE_BYTES
      }
    }
  }
}

/** Least first, as far as the number reaches. */
function digitsOf(scalar: bigint): number[] {
  return Array.from(scalar.toString(2 ** DIGIT_BITS), (digit) =>
    Number.parseInt(digit, 2 ** DIGIT_BITS),
  ).toReversed()
}

/** For each place of a digit a row: the point, times what the place counts, times 1, 2, 3 … */
function createFiller(curve: CurveMemory): (point: number, table: number) => void {
  const row = curve.alloc(MULTIPLES * JACOBIAN_BYTES)
  const first = curve.alloc(AFFINE_BYTES)
  const [copy, toJacobian] = [curve.call('g1m_copyAffine'), curve.call('g1m_toJacobian')]
  const [add, addAffine] = [curve.call('g1m_add'), curve.call('g1m_addMixed')]
  const [toAffine, toAffines] = [curve.call('g1m_toAffine'), curve.call('g1m_batchToAffine')]
  return (point, table) => {
    copy(point, first)
    for (let digit = 0; digit < DIGITS; digit++) {
      toJacobian(first, row)
      const last = row + (MULTIPLES - 1) * JACOBIAN_BYTES
      for (let at = row; at < last; at += JACOBIAN_BYTES) addAffine(at, first, at + JACOBIAN_BYTES)
      toAffines(row, MULTIPLES, table + digit * MULTIPLES * AFFINE_BYTES)
      add(last, row, last)
      toAffine(last, first)
    }
  }
}
