/**
 * EMSA-PSS-ENCODE of RFC 8017 §9.1.1 with SHA-384 and MGF1: the form of a message that is signed. Node verifies this form itself but
 * does not hand it out, and the blinding needs it.
 * @module
 */
import { createHash } from 'node:crypto'

/**
 * Encodes a message for a modulus of so many bits. `salt` is part of the form.
 *
 * @returns ⌈(modulusBits − 1) / 8⌉ bytes
 */
export function encodePss(message: Uint8Array, salt: Uint8Array, modulusBits: number): Uint8Array {
  const bits = modulusBits - 1
  const encoded = new Uint8Array(Math.ceil(bits / 8))
  const hash = sha384(new Uint8Array(8), sha384(message), salt)
  const maskedBytes = encoded.length - HASH_BYTES - 1
  encoded[maskedBytes - salt.length - 1] = 1
  encoded.set(salt, maskedBytes - salt.length)
  xorMask(encoded.subarray(0, maskedBytes), hash)
  encoded[0] = (encoded[0] ?? 0) & (0xff >>> (8 * encoded.length - bits))
  encoded.set(hash, maskedBytes)
  encoded[encoded.length - 1] = TRAILER
  return encoded
}

/** MGF1 of RFC 8017 B.2.1, added to `bytes` in place. */
function xorMask(bytes: Uint8Array, seed: Uint8Array): void {
  const counter = new Uint8Array(4)
  for (let at = 0, block = 0; at < bytes.length; at += HASH_BYTES, block++) {
    new DataView(counter.buffer).setUint32(0, block)
    const mask = sha384(seed, counter)
    const end = Math.min(HASH_BYTES, bytes.length - at)
    for (let i = 0; i < end; i++) bytes[at + i] = (bytes[at + i] ?? 0) ^ (mask[i] ?? 0)
  }
}

function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha384')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-384. */
export const HASH_BYTES = 48
/** RFC 8017 §9.1.1, step 12. */
const TRAILER = 0xbc
