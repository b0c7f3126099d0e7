/**
 * Many descriptors as one run of bytes, each `u16 bytes ‖ descriptor` (SPEC §10.2): in the blocks of an answer before they are packed, and in stored sets.
 * @module
 */

/** Joins them in this order. Each is shorter than 64 KiB. */
export function joinDescriptors(descriptors: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(
    descriptors.reduce((sum, { length }) => sum + ITEM_HEADER_BYTES + length, 0),
  )
  let at = 0
  for (const descriptor of descriptors) {
    joined[at] = descriptor.length >> 8
    joined[at + 1] = descriptor.length & 255
    joined.set(descriptor, at + ITEM_HEADER_BYTES)
    at += ITEM_HEADER_BYTES + descriptor.length
  }
  return joined
}

/** Views of each. What follows a length that is zero or runs past the end is cut off; the descriptors themselves are not judged. */
export function splitDescriptors(joined: Uint8Array): {
  readonly descriptors: readonly Uint8Array[]
  readonly isCutOff: boolean
} {
  const descriptors: Uint8Array[] = []
  let at = 0
  while (at + ITEM_HEADER_BYTES <= joined.length) {
    const bytes = ((joined[at] ?? 0) << 8) | (joined[at + 1] ?? 0)
    const end = at + ITEM_HEADER_BYTES + bytes
    if (bytes === 0 || end > joined.length) break
    descriptors.push(joined.subarray(at + ITEM_HEADER_BYTES, end))
    at = end
  }
  return { descriptors, isCutOff: at < joined.length }
}

/** Bytes in front of each descriptor. */
export const ITEM_HEADER_BYTES = 2
