/**
 * The onion layer of one hop in one direction (SPEC §6.2): an AEAD over each cell with an implicit counter as nonce, no
 * associated data, and a key that ratchets. This file holds the ports and the constants; `node-layer.ts` does the work.
 * Where a layer lies in a body, and scopes, are the business of `wire` and `circuit`.
 * @module
 */

/** Seals the cells of one hop and direction, in order. */
export interface LayerSealer {
  /**
   * Writes `ciphertext ‖ tag` of the plaintext to `out` from `offset` on: `plaintext.length + TAG_BYTES` bytes.
   * The plaintext may lie in `out`, also where the result goes.
   */
  sealInto(out: Uint8Array, offset: number, plaintext: Uint8Array): void
}

/** Opens the cells of one hop and direction, in the order they were sealed. */
export interface LayerOpener {
  /**
   * Opens `ciphertext ‖ tag` in `body[start, end)` **in place**: the plaintext lies at `body[start, end - TAG_BYTES)`.
   * Returns false when the cell was changed, lost, repeated or reordered, with the body as it was; from then on always
   * (SPEC §6.2: the hop MUST destroy the circuit). Never throws.
   */
  open(body: Uint8Array, start: number, end: number): boolean
}

// Protocol constants (change needs a spec change).

/**
 * SPEC §6.2: a key that has sealed this many bytes (ciphertext and tags) is replaced. A key stolen later opens at most
 * the last 2 MiB; about 20 µs each time.
 */
export const LAYER_RATCHET_BYTES: number = 2 * 1024 * 1024
/** SPEC §6.2: the info of the ratchet's HKDF. */
export const LAYER_RATCHET_LABEL = 'byway ratchet'
