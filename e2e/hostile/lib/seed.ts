/** Seeded randomness of these tests; the seed is printed, and `SEED=… npm test -- hostile` runs it again. */

/** mulberry32: small, seeded, good enough to choose what to spoil. */
export function createRandom(seed: number) {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    /** A whole number from 0 up to below `limit`. */
    below: (limit: number): number => Math.floor(next() * limit),
    bytes: (count: number): Uint8Array =>
      Uint8Array.from({ length: count }, () => Math.floor(next() * 256)),
  }
}

/** The seed of this run. */
export const SEED: number = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

/** More rounds when asked for. */
export const IS_SLOW: boolean = process.env['SLOW'] === '1'
