/**
 * The two groups of BN254 and their coordinates' fields, by addresses (curve-memory.ts). An affine point is x and y, a Jacobian one has a third coordinate.
 * @module
 */
import type { CurveCall, CurveMemory } from './curve-memory.ts'

/** As the library names them. */
export type GroupName = 'g1m' | 'g2m'

/** What is done with points and coordinates: what is written to stands last, and may be what is read. */
export type Group = {
  /** Of a coordinate. */
  readonly size: number
  readonly zero: CurveCall
  readonly double: CurveCall
  readonly add: CurveCall
  /** A Jacobian point, an affine one. */
  readonly addAffine: CurveCall
  readonly copyAffine: CurveCall
  readonly negAffine: CurveCall
  readonly field: {
    readonly add: CurveCall
    readonly subtract: CurveCall
    readonly multiply: CurveCall
    readonly square: CurveCall
    readonly negate: CurveCall
    readonly copy: CurveCall
    readonly isZero: CurveCall
    /** From, step, count, to, step. What is zero stays zero. */
    readonly invertAll: CurveCall
  }
}

const FIELDS = { g1m: { name: 'f1m', size: 32 }, g2m: { name: 'f2m', size: 64 } } as const

/** Finds a group's functions. */
export function openGroup(curve: CurveMemory, group: GroupName): Group {
  const call = (name: string): CurveCall => curve.call(name)
  const { name: field, size } = FIELDS[group]
  return {
    size,
    zero: call(`${group}_zero`),
    double: call(`${group}_double`),
    add: call(`${group}_add`),
    addAffine: call(`${group}_addMixed`),
    copyAffine: call(`${group}_copyAffine`),
    negAffine: call(`${group}_negAffine`),
    field: {
      add: call(`${field}_add`),
      subtract: call(`${field}_sub`),
      multiply: call(`${field}_mul`),
      square: call(`${field}_square`),
      negate: call(`${field}_neg`),
      copy: call(`${field}_copy`),
      isZero: call(`${field}_isZero`),
      invertAll: call(`${field}_batchInverse`),
    },
  }
}
