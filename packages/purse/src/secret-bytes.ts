/**
 * Room for secret bytes that can be overwritten for good. V8 keeps a typed array of up to 64 bytes in its own heap: the collector copies it when it moves it, and whoever hands it
 * to native code makes a copy outside and leaves the first where it was. Nobody overwrites those. A view of a buffer lies outside from the start and never moves.
 *
 * So keys are made here or by native functions that give buffers, and never by `slice`, `Uint8Array.from`, `concatBytes` or `fromHex`.
 * @module
 */

/** `length` zeros outside of V8's heap. */
export function secretBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length))
}

/** A copy outside of V8's heap; the caller's to overwrite. */
export function secretCopy(bytes: Uint8Array): Uint8Array {
  const copy = secretBytes(bytes.length)
  copy.set(bytes)
  return copy
}
