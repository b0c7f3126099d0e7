/**
 * One window of a sum: points that have the same digit are added first, as a tournament of pairs whose slopes are inverted together (Montgomery's trick). An affine sum takes
 * six multiplications then, where one with a Jacobian point takes eleven.
 * @module
 */
import type { CurveMemory } from './curve-memory.ts'
import type { Group } from './group.ts'

/** The buckets of one window. */
export interface Buckets {
  /** Sums affine points, none of them the identity, each times its digit. Returns where the sum stands until the next call, a Jacobian point. */
  sum(bases: number, digits: Int16Array, bits: number): number
}

/** Buckets for so many points at a time. */
export function createBuckets(curve: CurveMemory, group: Group, most: number): Buckets {
  const pointSize = 2 * group.size
  const room = {
    points: curve.alloc(most * pointSize),
    slopes: curve.alloc((most / 2 + 1) * group.size),
    x: curve.alloc(group.size),
    slope: curve.alloc(group.size),
    running: curve.alloc(3 * group.size),
    total: curve.alloc(3 * group.size),
  }
  return {
    sum(bases, digits, bits) {
      const { starts, lengths } = place(group, room.points, bases, digits, 1 << (bits - 1))
      while (lengths.some((length) => length > 1)) addPairs(group, room, starts, lengths)
      return weighted(group, room, starts, lengths)
    },
  }
}

type Room = {
  readonly points: number
  readonly slopes: number
  readonly x: number
  readonly slope: number
  readonly running: number
  readonly total: number
}

/** Puts each point, or its opposite, into the bucket of its digit: bucket b holds `lengths[b]` points from `starts[b]`. */
function place(
  group: Group,
  points: number,
  bases: number,
  digits: Int16Array,
  greatest: number,
): { readonly starts: Uint32Array; readonly lengths: Uint32Array } {
  const size = 2 * group.size
  const [starts, lengths] = [new Uint32Array(greatest + 1), new Uint32Array(greatest + 1)]
  for (const digit of digits) increment(lengths, Math.abs(digit))
  for (let b = 1, at = points; b <= greatest; at += (lengths[b] ?? 0) * size, b++) starts[b] = at
  lengths.fill(0)
  for (const [i, digit] of digits.entries()) {
    const bucket = Math.abs(digit)
    if (bucket === 0) continue
    const to = (starts[bucket] ?? 0) + size * (lengths[bucket] ?? 0)
    const move = digit < 0 ? group.negAffine : group.copyAffine
    move(bases + size * i, to)
    increment(lengths, bucket)
  }
  return { starts, lengths }
}

function increment(lengths: Uint32Array, bucket: number): void {
  lengths[bucket] = (lengths[bucket] ?? 0) + 1
}

/** One round of the tournament, in place: in each bucket the first with the second point, the third with the fourth … */
function addPairs(group: Group, room: Room, starts: Uint32Array, lengths: Uint32Array): void {
  const { same, count } = differences(group, room, starts, lengths)
  group.field.invertAll(room.slopes, group.size, count, room.slopes, group.size)
  const pairSize = 4 * group.size
  let pair = 0
  for (let b = 1; b < starts.length; b++) {
    const [start = 0, length = 0] = [starts[b], lengths[b]]
    const last = start + (length >> 1) * pairSize
    let to = start
    for (let at = start; at < last; at += pairSize, pair++)
      if (addPair(group, room, at, pair, same, to)) to += pairSize / 2
    if (length & 1) {
      group.copyAffine(last, to)
      to += pairSize / 2
    }
    lengths[b] = (to - start) / (pairSize / 2)
  }
}

/** What the slopes of all pairs are divided by: x2 - x1; where these are the same, y1 + y2, which is zero for opposite points. */
function differences(
  { field, size }: Group,
  { slopes }: Room,
  starts: Uint32Array,
  lengths: Uint32Array,
): { readonly same: ReadonlySet<number>; readonly count: number } {
  const same = new Set<number>()
  let count = 0
  for (let b = 1; b < starts.length; b++) {
    const [start = 0, length = 0] = [starts[b], lengths[b]]
    const last = start + (length >> 1) * 4 * size
    for (let at = start; at < last; at += 4 * size, count++) {
      const to = slopes + size * count
      field.subtract(at + 2 * size, at, to)
      if (!field.isZero(to)) continue
      field.add(at + size, at + 3 * size, to)
      same.add(count)
    }
  }
  return { same, count }
}

/** Adds two points that stand at `at`; false when their sum is the identity, which no bucket holds. */
function addPair(
  { field, size }: Group,
  { slopes, slope, x }: Room,
  at: number,
  pair: number,
  same: ReadonlySet<number>,
  to: number,
): boolean {
  const y1 = at + size
  const x2 = at + 2 * size
  const inverse = slopes + size * pair
  if (same.size > 0 && same.has(pair)) {
    if (field.isZero(inverse)) return false
    // Of the tangent: 3x² over 2y.
    field.square(at, x)
    field.add(x, x, slope)
    field.add(slope, x, slope)
  } else field.subtract(at + 3 * size, y1, slope)
  field.multiply(slope, inverse, slope)
  field.square(slope, x)
  field.subtract(x, at, x)
  field.subtract(x, x2, x)
  // The second point is not needed any more.
  field.subtract(at, x, x2)
  field.multiply(x2, slope, x2)
  field.subtract(x2, y1, to + size)
  field.copy(x, to)
  return true
}

/** Each bucket's point times its number, all together. */
function weighted(
  group: Group,
  { running, total }: Room,
  starts: Uint32Array,
  lengths: Uint32Array,
): number {
  group.zero(running)
  group.zero(total)
  for (let b = starts.length - 1; b > 0; b--) {
    if (lengths[b]) group.addAffine(running, starts[b] ?? 0, running)
    group.add(total, running, total)
  }
  return total
}
