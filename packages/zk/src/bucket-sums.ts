/**
 * The buckets of some windows of a sum (multi-exp.ts): the points of one digit are summed first. What buckets count, b = high · 2^n + low, is then summed by all of one `low` and all of one
 * `high`, and these by the bits of the two. That takes two additions a bucket, all of affine points whose slopes are inverted together.
 * @module
 */
import type { PairAdder } from './pair-adder-port.ts'
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
  const count = windows.length * half
  const [lengths, starts] = [new Uint32Array(count), new Uint32Array(count)]
  for (const [window, digits] of windows.entries()) countDigits(digits, lengths, window * half - 1)
  let all = 0
  for (let list = 0; list < count; list++) {
    starts[list] = all
    all += lengths[list] ?? 0
  }
  const entries = new Uint32Array(all)
  const ends = starts.slice()
  for (const [window, digits] of windows.entries()) {
    const first = window * half - 1
    for (let i = 0, at = points; i < digits.length; i++, at += adder.pointBytes) {
      const digit = digits[i] ?? 0
      if (digit === 0) continue
      const list = first + Math.abs(digit)
      const end = ends[list] ?? 0
      entries[end] = digit < 0 ? at + 1 : at
      ends[list] = end + 1
    }
  }
  const lists = { entries, starts, lengths }
  sumLists(adder, lists, room)
  return lists
}

/** Counts digits without their sign, that of n at `first + n`. */
function countDigits(digits: Int16Array, lengths: Uint32Array, first: number): void {
  for (let i = 0; i < digits.length; i++) {
    const digit = digits[i] ?? 0
    if (digit === 0) continue
    const list = first + Math.abs(digit)
    lengths[list] = (lengths[list] ?? 0) + 1
  }
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
  const found = new Uint32Array(2 * buckets.lengths.length)
  const numbers = new Int32Array(found.length).fill(-1)
  eachSum(buckets, (point, list) => {
    const bucket = (list & (2 ** (bits - 1) - 1)) + 1
    const first = (list >> (bits - 1)) * (lows + highs)
    const [lowest, highest] = [bucket & (lows - 1), bucket >> low]
    found[2 * list] = point
    found[2 * list + 1] = point
    if (lowest > 0) numbers[2 * list] = first + lowest
    if (highest > 0) numbers[2 * list + 1] = first + lows + highest
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
