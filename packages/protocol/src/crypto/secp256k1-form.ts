/**
 * The one form of a signature (SPEC §13.4): 65 bytes `r ‖ s ‖ v`, s in the lower half of the order, v 27 or 28.
 * @module
 */
import { RECOVERABLE_SIGNATURE_BYTES } from './ticket-ports.ts'

/** The parity of the point (0 or 1) that a signature in the one form names; undefined for every other form. */
export function parityOf(signature: Uint8Array): number | undefined {
  if (signature.length !== RECOVERABLE_SIGNATURE_BYTES || !isLowS(signature)) return undefined
  const parity = signature[64]! - V_BASE
  return parity === 0 || parity === 1 ? parity : undefined
}

/** Joins `r ‖ s` with the v of a parity. */
export function joinForm(compact: Uint8Array, parity: number): Uint8Array {
  const form = new Uint8Array(RECOVERABLE_SIGNATURE_BYTES)
  form.set(compact)
  form[64] = V_BASE + parity
  return form
}

/** s is bytes 32 to 64; compared with half the order from the front. */
function isLowS(signature: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = signature[32 + i]! - HALF_ORDER[i]!
    if (difference !== 0) return difference < 0
  }
  return true
}

const V_BASE = 27
/** SEC 2, secp256k1: ⌊n / 2⌋. */
const HALF_ORDER = Uint8Array.from([
  0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
])
