/**
 * Numbers modulo the scalars' order, as big integers: for the few that a program computes once.
 * @module
 */
import { SCALAR_ORDER } from './proof.ts'

/** All roots of unity are its powers. */
const NON_RESIDUE = 5n

/** Of all numbers whose power of so many is one, and of no fewer: the one that snarkjs' keys are for. The count is a power of two, up to 2^28. */
export function rootOfUnity(count: number): bigint {
  return power(NON_RESIDUE, (SCALAR_ORDER - 1n) / BigInt(count))
}

/** 1/x, of what is not zero. */
export function inverse(x: bigint): bigint {
  return power(x, SCALAR_ORDER - 2n)
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % SCALAR_ORDER
    square = (square * square) % SCALAR_ORDER
  }
  return result
}
