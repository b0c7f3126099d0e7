/**
 * The buckets of some windows of a sum (multi-exp.ts): the points of one digit are summed first. What buckets count, b = high · 2^n + low, is then summed by all of one `low` and all of one
 * `high`, and these by the bits of the two. That takes two additions a bucket, all of affine points whose slopes are inverted together.
 * @module
 */
import type { PairAdder } from './pair-adder.ts'
import { type PointLists, sortIntoLists, sumLists, type SumRoom } from './point-lists.ts'

/** Places for sums that one window of so many points takes. */
export function sumsOfWindow(count: number, bits: number): number {
  const { lows, highs } = halvesOf(bits)
  return Math.ceil(count / 2) + 2 ** (bits - 1) + (lows + highs) * bits
}

/**
 * Sums points, which stand one after another, times their digits of some windows, each from -2^(bits-1) to 2^(bits-1). Gives a list for each bit of each window: one point that counts as that bit
 * does, or none.
 */
export function sumBits(
  adder: PairAdder,
  points: number,
  windows: readonly Int16Array[],
  bits: number,
  room: SumRoom,
): PointLists {
  const buckets = sumBuckets(adder, points, windows, bits, room)
  const halves = sumHalves(adder, buckets, windows.length, bits, room)
  const { low, lows, highs } = halvesOf(bits)
  const [found, numbers]: [number[], number[]] = [[], []]
  eachSum(halves, (point, list) => {
    const [window, half] = [Math.floor(list / (lows + highs)), list % (lows + highs)]
    const [value, first] = half < lows ? [half, 0] : [half - lows, low]
    for (let bit = 0; value >> bit > 0; bit++) {
      if (((value >> bit) & 1) === 0) continue
      found.push(point)
      numbers.push(window * bits + first + bit)
    }
  })
  return sumInLists(adder, { found, numbers, count: windows.length * bits }, room)
}

/** Of a window's buckets `low` counts so many bits, and `low` and `high` have so many values. */
function halvesOf(bits: number): {
  readonly low: number
  readonly lows: number
  readonly highs: number
} {
  const low = (bits - 1) >> 1
  return { low, lows: 2 ** low, highs: 2 ** (bits - 1 - low) + 1 }
}

/** For each window lists for digits of 1, 2, 3 … without their sign. */
function sumBuckets(
  adder: PairAdder,
  points: number,
  windows: readonly Int16Array[],
  bits: number,
  room: SumRoom,
): PointLists {
  const half = 2 ** (bits - 1)
  const count = windows[0]?.length ?? 0
  const found = new Uint32Array(windows.length * count)
  const numbers = new Int32Array(windows.length * count)
  const { pointBytes } = adder
  let to = 0
  for (const [window, digits] of windows.entries()) {
    const before = window * half - 1
    for (let i = 0; i < count; i++, to++) {
      const digit = digits[i] ?? 0
      const at = points + pointBytes * i
      found[to] = digit < 0 ? at + 1 : at
      numbers[to] = digit === 0 ? -1 : before + Math.abs(digit)
    }
  }
  return sumInLists(adder, { found, numbers, count: windows.length * half }, room)
}

/** For each window lists for each `low`, then for each `high`. Those that are zero count nothing. */
function sumHalves(
  adder: PairAdder,
  buckets: PointLists,
  windows: number,
  bits: number,
  room: SumRoom,
): PointLists {
  const { low, lows, highs } = halvesOf(bits)
  const [found, numbers]: [number[], number[]] = [[], []]
  eachSum(buckets, (point, list) => {
    const bucket = (list & (2 ** (bits - 1) - 1)) + 1
    const first = (list >> (bits - 1)) * (lows + highs)
    const [lowest, highest] = [bucket & (lows - 1), bucket >> low]
    found.push(point, point)
    numbers.push(lowest > 0 ? first + lowest : -1, highest > 0 ? first + lows + highest : -1)
  })
  return sumInLists(adder, { found, numbers, count: windows * (lows + highs) }, room)
}

type Found = {
  readonly found: ArrayLike<number>
  readonly numbers: ArrayLike<number>
  readonly count: number
}

function sumInLists(adder: PairAdder, { found, numbers, count }: Found, room: SumRoom): PointLists {
  const lists = sortIntoLists(found, numbers, count)
  sumLists(adder, lists, room)
  return lists
}

/** Each list's sum, where it is a point. */
function eachSum(
  { entries, starts, lengths }: PointLists,
  take: (point: number, list: number) => void,
): void {
  for (let list = 0; list < lengths.length; list++)
    if (lengths[list]) take(entries[starts[list] ?? 0] ?? 0, list)
}
