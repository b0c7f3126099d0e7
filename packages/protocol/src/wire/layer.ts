/**
 * Byte ranges of the sealed layers in a DATA cell's body (SPEC §6.1, §6.3). Arithmetic only: sealing is the crypto
 * folder's, and which depth a hop has is the circuit's.
 *
 * ```text
 * body of B bytes, layer at depth d, L = B − 17·d
 *       0  L − 17 inner, sealed
 *  L − 17       1 scope, sealed
 *  L − 16      16 AEAD tag
 *       L    17·d filler: zeros when sent, never read
 * ```
 * @module
 */

/** Bytes of an AEAD tag. */
export const TAG_BYTES = 16

/** What one layer costs: scope and tag. */
export const LAYER_OVERHEAD_BYTES = 17

/** SPEC §6.1: whom `inner` is for. Another value is a protocol error. */
export const SCOPE = { PASS_ON: 0, HERE: 1 } as const
export type Scope = (typeof SCOPE)[keyof typeof SCOPE]

/** Returns L, the bytes of ciphertext and tag at this depth in a body of `bodyBytes`. */
export function layerBytes(bodyBytes: number, depth: number): number {
  return bodyBytes - LAYER_OVERHEAD_BYTES * depth
}

/** Returns the bytes of `inner` at this depth; the scope byte stands at this offset of the plaintext. */
export function innerBytes(bodyBytes: number, depth: number): number {
  return bodyBytes - LAYER_OVERHEAD_BYTES * (depth + 1)
}
