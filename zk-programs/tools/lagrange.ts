/** Lagrange polynomials over roots of unity, evaluated at one point. */
import type { Curve } from 'ffjavascript'
import { geometric, invertAll, ORDER, power, reduce } from './field.ts'

/** Those over all roots of this size, at `point`: `w^i · (point^n − 1) / (n · (point − w^i))`. */
export function lagrange(curve: Curve, log: number, point: bigint): bigint[] {
  return overRoots(log, point, geometric(2 ** log, 1n, rootOf(curve, log)))
}

/** Of those over the roots of twice this size only every other: over the roots that this size has not. */
export function oddLagrange(curve: Curve, log: number, point: bigint): bigint[] {
  const roots = geometric(2 ** log, rootOf(curve, log + 1), rootOf(curve, log))
  return overRoots(log + 1, point, roots)
}

function overRoots(log: number, point: bigint, roots: readonly bigint[]): bigint[] {
  const size = BigInt(2 ** log)
  const inverses = invertAll(roots.map((each) => reduce(point - each)))
  const scale = (reduce(power(point, size) - 1n) * power(size, ORDER - 2n)) % ORDER
  return roots.map((each, i) => (((each * scale) % ORDER) * (inverses[i] ?? 0n)) % ORDER)
}

function rootOf(curve: Curve, log: number): bigint {
  return BigInt(curve.Fr.toString(curve.Fr.w[log] ?? curve.Fr.one))
}
