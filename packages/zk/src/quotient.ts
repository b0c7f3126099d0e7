/**
 * The rows that a proof's third point is made of besides the wires: A·B - C of the constraints at the odd powers of a root of unity of twice as many rows, where snarkjs' keys
 * want it.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES, montgomery, writeNumber } from './curve-memory.ts'
import { SCALAR_ORDER } from './proof.ts'
import type { ProvingKey } from './proving-key.ts'

/** Of the scalars: all roots of unity are its powers. */
const NON_RESIDUE = 5n

/** Computes the rows for the wires that stand at an address, and says where. */
export function createQuotient(
  curve: CurveMemory,
  { terms, wires, rows }: ProvingKey,
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
  const [build, join] = [curve.call('qap_buildABC'), curve.call('qap_joinABC')]
  const plain = curve.call('frm_batchFromMontgomery')
  const [toCoefficients, toValues] = [curve.call('frm_ifft'), curve.call('frm_fft')]
  const shift = curve.call('frm_batchApplyKey')
  return (witness) => {
    build(terms.at, terms.count, witness, a, b, c, 0, rows, 0, wires)
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

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % SCALAR_ORDER
    square = (square * square) % SCALAR_ORDER
  }
  return result
}
