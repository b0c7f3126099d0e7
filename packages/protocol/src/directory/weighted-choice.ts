/**
 * Random choices from randomness that is passed in, deterministic given it.
 * @module
 */
import { assert } from '@byway/protocol/base'

/** Gives the next number of [0, 1). */
export type UnitRandom = () => number

/** Makes numbers of [0, 1) with 48 random bits each from a source of bytes. */
export function unitRandom(randomBytes: (count: number) => Uint8Array): UnitRandom {
  return () => {
    const bytes = randomBytes(BYTES_PER_NUMBER)
    assert(bytes.length === BYTES_PER_NUMBER, 'a source of bytes gives as many as asked for')
    return bytes.reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** (8 * BYTES_PER_NUMBER)
  }
}

/**
 * Chooses one index with a chance in proportion to its weight; weights that are not positive are never chosen.
 * Undefined when no weight is positive.
 */
export function chooseWeighted(weights: readonly number[], random: UnitRandom): number | undefined {
  let total = 0
  for (const weight of weights) total += Math.max(0, weight)
  if (!(total > 0)) return undefined
  let left = random() * total
  let last: number | undefined
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index] ?? 0
    if (weight <= 0) continue
    last = index
    left -= weight
    if (left < 0) return index
  }
  // Rounding may leave a trace behind the final weight.
  return last
}

/** Yields the items one after another, each chosen by weight from those that are left. */
export function* drawWeighted<T>(
  items: readonly T[],
  weightOf: (item: T) => number,
  random: UnitRandom,
): Generator<T, void, undefined> {
  const weights = items.map(weightOf)
  for (;;) {
    const index = chooseWeighted(weights, random)
    if (index === undefined) return
    weights[index] = 0
    const item = items[index]
    if (item !== undefined) yield item
  }
}

const BYTES_PER_NUMBER = 6
