/**
 * The rows that a proof's third point is made of besides the wires: A·B - C of the constraints at the odd powers of a root of unity of twice as many rows, where snarkjs' keys
 * want it.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES } from './curve-memory.ts'
import { hasExactVectors } from './exact-vectors.ts'
import { ITEM_BYTES, type KeyFile } from './key-file.ts'
import { createPlainRows, plainRowsBytes } from './plain-rows.ts'
import { createVectorRows, vectorRowsBytes } from './vector-rows.ts'

/** Takes so many terms of the constraints, which stand at an address: each a matrix, a row, a wire and a number. */
export type TakeTerms = (at: number, count: number) => void

/** Bytes of memory that it takes, besides the wires and terms. */
export function quotientBytes(rows: number): number {
  const transform = hasExactVectors() ? vectorRowsBytes(rows) : plainRowsBytes(rows)
  return (2 * rows + 1) * ELEMENT_BYTES + transform
}

/** Computes the rows for the wires that stand at an address, and says where. `eachTerms` gives all terms, some at a time. */
export function createQuotient(
  curve: CurveMemory,
  { rows }: Pick<KeyFile, 'rows'>,
  eachTerms: (take: TakeTerms) => void,
): (witness: number) => number {
  const [a, b] = [curve.alloc(rows * ELEMENT_BYTES), curve.alloc(rows * ELEMENT_BYTES)]
  const build = createBuilder(curve, [a, b])
  const transform = (hasExactVectors() ? createVectorRows : createPlainRows)(curve, rows)
  return (witness) => {
    new Uint8Array(curve.view.buffer).fill(0, a, a + rows * ELEMENT_BYTES)
    new Uint8Array(curve.view.buffer).fill(0, b, b + rows * ELEMENT_BYTES)
    eachTerms((at, count) => build(at, count, witness))
    transform(a, b)
    return a
  }
}

/** Adds what terms are times their wires to the rows of the first two matrices. */
function createBuilder(
  curve: CurveMemory,
  matrices: readonly number[],
): (at: number, count: number, witness: number) => void {
  const [multiply, add] = [curve.call('frm_mul'), curve.call('frm_add')]
  const product = curve.alloc(ELEMENT_BYTES)
  const { view } = curve
  return (at, count, witness) => {
    for (let term = at; term < at + count * ITEM_BYTES.terms; term += ITEM_BYTES.terms) {
      const matrix = matrices[view.getUint32(term, true)]
      if (matrix === undefined) continue
      const row = matrix + ELEMENT_BYTES * view.getUint32(term + 4, true)
      // The file's number is so much greater that this is the product as rows keep it.
      multiply(term + 12, witness + ELEMENT_BYTES * view.getUint32(term + 8, true), product)
      add(row, product, row)
    }
  }
}
