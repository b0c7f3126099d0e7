/** Seeded randomness for circuit tests: the same seed gives the same run. */

/** A small generator (mulberry32): uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Random bytes from a seed. Not secret, which suits a test. */
export function seededBytes(seed: number): (count: number) => Uint8Array {
  const random = seededRandom(seed)
  return (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256))
}
