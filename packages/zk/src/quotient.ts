/**
 * The rows that a proof's third point is made of besides the wires: A·B - C of the constraints at the odd powers of a root of unity of twice as many rows, where snarkjs' keys
 * want it.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES, montgomery, writeNumber } from './curve-memory.ts'
import { ITEM_BYTES, type KeyFile } from './key-file.ts'
import { SCALAR_ORDER } from './proof.ts'

/** Of the scalars: all roots of unity are its powers. */
const NON_RESIDUE = 5n

/** Takes so many terms of the constraints, which stand at an address: each a matrix, a row, a wire and a number. */
export type TakeTerms = (at: number, count: number) => void

/** Computes the rows for the wires that stand at an address, and says where. `eachTerms` gives all terms, some at a time. */
export function createQuotient(
  curve: CurveMemory,
  { rows }: Pick<KeyFile, 'rows'>,
  eachTerms: (take: TakeTerms) => void,
): (witness: number) => number {
  const matrices = [1, 2, 3].map(() => curve.alloc(rows * ELEMENT_BYTES))
  const [a = 0, b = 0, c = 0] = matrices
  const [one, root] = [curve.alloc(ELEMENT_BYTES), curve.alloc(ELEMENT_BYTES)]
  writeNumber(curve.view, one, montgomery(1n))
  writeNumber(
    curve.view,
    root,
    montgomery(power(NON_RESIDUE, (SCALAR_ORDER - 1n) / BigInt(2 * rows))),
  )
  const [build, join] = [createBuilder(curve, [a, b]), curve.call('qap_joinABC')]
  const [multiply, plain] = [curve.call('frm_mul'), curve.call('frm_batchFromMontgomery')]
  const [toCoefficients, toValues] = [curve.call('frm_ifft'), curve.call('frm_fft')]
  const shift = curve.call('frm_batchApplyKey')
  return (witness) => {
    new Uint8Array(curve.view.buffer).fill(0, a, a + rows * ELEMENT_BYTES)
    new Uint8Array(curve.view.buffer).fill(0, b, b + rows * ELEMENT_BYTES)
    eachTerms((at, count) => build(at, count, witness))
    // A row holds where the third matrix is what the others' product is.
    for (let i = 0; i < rows * ELEMENT_BYTES; i += ELEMENT_BYTES) multiply(a + i, b + i, c + i)
    for (const at of matrices) {
      toCoefficients(at, rows)
      shift(at, rows, one, root, at)
      toValues(at, rows)
    }
    join(a, b, c, rows, a)
    plain(a, rows, a)
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

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % SCALAR_ORDER
    square = (square * square) % SCALAR_ORDER
  }
  return result
}
