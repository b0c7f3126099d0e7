/** Arithmetic in BN254's scalar field, for set-ups: plain and slow, on bigints. */

/** The field's order. */
export const ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

/** The least non-negative residue. */
export function reduce(value: bigint): bigint {
  const rest = value % ORDER
  return rest < 0n ? rest + ORDER : rest
}

/** `base` to the power `exponent`, square and multiply. */
export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = reduce(base)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % ORDER
    square = (square * square) % ORDER
  }
  return result
}

/** The inverse, by Fermat; 0 for 0. */
export function invert(value: bigint): bigint {
  return power(value, ORDER - 2n)
}

/** Inverts many at the price of one and three multiplications each (Montgomery). None may be 0. */
export function invertAll(values: readonly bigint[]): bigint[] {
  const before: bigint[] = []
  let product = 1n
  for (const value of values) {
    before.push(product)
    product = (product * value) % ORDER
  }
  let inverse = invert(product)
  const inverses = values.slice()
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = (inverse * (before[i] ?? 0n)) % ORDER
    inverse = (inverse * (values[i] ?? 0n)) % ORDER
  }
  return inverses
}

/** `first · ratio^i` for i below `count`. */
export function geometric(count: number, first: bigint, ratio: bigint): bigint[] {
  const terms: bigint[] = []
  for (let term = reduce(first); terms.length < count; term = (term * ratio) % ORDER)
    terms.push(term)
  return terms
}
