/**
 * The transforms of a proof's rows (quotient.ts) by the library's arithmetic, one number at a time: for engines without the vectors that vector-rows.ts has.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES, montgomery, writeNumber } from './curve-memory.ts'
import { rootOfUnity } from './scalar.ts'

/** Bytes of memory that it takes. */
export function plainRowsBytes(rows: number): number {
  return (rows + 2) * ELEMENT_BYTES
}

/** Opens it for so many rows. */
export function createPlainRows(curve: CurveMemory, rows: number): (a: number, b: number) => void {
  const c = curve.alloc(rows * ELEMENT_BYTES)
  const [one, root] = [curve.alloc(ELEMENT_BYTES), curve.alloc(ELEMENT_BYTES)]
  writeNumber(curve.view, one, montgomery(1n))
  writeNumber(curve.view, root, montgomery(rootOfUnity(2 * rows)))
  const [multiply, plain] = [curve.call('frm_mul'), curve.call('frm_batchFromMontgomery')]
  const [toCoefficients, toValues] = [curve.call('frm_ifft'), curve.call('frm_fft')]
  const [shift, join] = [curve.call('frm_batchApplyKey'), curve.call('qap_joinABC')]
  return (a, b) => {
    // A row holds where the third matrix is what the others' product is.
    for (let i = 0; i < rows * ELEMENT_BYTES; i += ELEMENT_BYTES) multiply(a + i, b + i, c + i)
    for (const at of [a, b, c]) {
      toCoefficients(at, rows)
      shift(at, rows, one, root, at)
      toValues(at, rows)
    }
    join(a, b, c, rows, a)
    plain(a, rows, a)
  }
}
