/**
 * Numbers as digits of 51 bits with a sign, which doubles hold exactly (limb-code.ts), and what a prime field's products of them take.
 * @module
 */

/** Digits of a number. */
export const LIMBS = 5
/** Bits of a digit. */
export const LIMB_BITS = 51
/** What numbers are multiplied with, as the library's are with 2^256. */
export const LIMB_RADIX: bigint = 1n << BigInt(LIMBS * LIMB_BITS)

/** A number as signed digits, each a whole double of 50 bits and its sign. */
export function digitsOf(value: bigint): readonly number[] {
  let rest = value
  return Array.from({ length: LIMBS }, (_, i) => {
    if (i === LIMBS - 1) return Number(rest)
    const digit = BigInt.asIntN(LIMB_BITS, rest)
    rest = (rest - digit) >> BigInt(LIMB_BITS)
    return Number(digit)
  })
}

/** A prime field with what its products take: an odd modulus between 2^253 and 2^254. */
export type LimbField = {
  readonly modulus: bigint
  readonly digits: readonly number[]
  /** Of -1/p the lowest digit. */
  readonly negativeInverse: number
  /** Of p times that, which is one below a multiple of 2^51, all digits but the lowest. */
  readonly multiple: readonly number[]
}

/** Computes them. */
export function limbField(modulus: bigint): LimbField {
  const negativeInverse = BigInt.asIntN(LIMB_BITS, -inverseOf(modulus))
  return {
    modulus,
    digits: digitsOf(modulus),
    negativeInverse: Number(negativeInverse),
    multiple: digitsOf((modulus * negativeInverse + 1n) >> BigInt(LIMB_BITS)),
  }
}

const LIMB_MASK = (1n << BigInt(LIMB_BITS)) - 1n

function inverseOf(modulus: bigint): bigint {
  let inverse = 1n
  // Each step doubles the bits that are right.
  for (let bits = 1; bits < LIMB_BITS; bits *= 2)
    inverse = (inverse * (2n - modulus * inverse)) & LIMB_MASK
  return inverse
}
