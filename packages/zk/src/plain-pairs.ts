/**
 * Adds pairs of affine points by the library's arithmetic, one number at a time: for engines without the vectors that pair-adder.ts has.
 * @module
 */
import type { CurveMemory } from './curve-memory.ts'
import { type Group, type GroupName, openGroup } from './group.ts'
import type { PairAdder } from './pair-adder-port.ts'

/** Opens one. Points are as the library has them. */
export function createPlainPairs(curve: CurveMemory, name: GroupName): PairAdder {
  const group = openGroup(curve, name)
  const { size } = group
  const room: Room = {
    slopes: curve.alloc(LIST_SUMS * size),
    slope: curve.alloc(size),
    x: curve.alloc(size),
    y1: curve.alloc(size),
    y2: curve.alloc(size),
  }
  const list = new Uint32Array(3 * LIST_SUMS)
  return {
    pointBytes: 2 * size,
    most: LIST_SUMS,
    list,
    place(points, count, to) {
      new Uint8Array(curve.view.buffer).copyWithin(to, points, points + count * 2 * size)
    },
    add(count) {
      const same = differences(group, room, list, count)
      group.field.invertAll(room.slopes, size, count, room.slopes, size)
      const identities: number[] = []
      for (let i = 0; i < count; i++)
        if (!addPair(group, room, list, i, same.has(i))) identities.push(list[3 * i + 2] ?? 0)
      return identities
    },
    show(point, to) {
      const move = (point & 1) === 1 ? group.negAffine : group.copyAffine
      move(point & ~1, to)
    },
  }
}

/** Sums that share an inversion, which takes as long as some tens of sums. */
const LIST_SUMS = 2048

type Room = {
  readonly slopes: number
  readonly slope: number
  readonly x: number
  readonly y1: number
  readonly y2: number
}

/** Copies a point's y, negated where its address says so. */
function readY({ field, size }: Group, point: number, to: number): void {
  if ((point & 1) === 1) field.negate((point & ~1) + size, to)
  else field.copy(point + size, to)
}

/** What the slopes are divided by: x2 - x1; where these are the same, y1 + y2, which is zero for opposite points. */
function differences(
  group: Group,
  { slopes, y1, y2 }: Room,
  list: Uint32Array,
  count: number,
): ReadonlySet<number> {
  const { field, size } = group
  const same = new Set<number>()
  for (let i = 0; i < count; i++) {
    const [a = 0, b = 0] = [list[3 * i], list[3 * i + 1]]
    const to = slopes + size * i
    field.subtract(b & ~1, a & ~1, to)
    if (!field.isZero(to)) continue
    readY(group, a, y1)
    readY(group, b, y2)
    field.add(y1, y2, to)
    same.add(i)
  }
  return same
}

/** Makes a sum; false when it is the identity. */
function addPair(
  group: Group,
  { slopes, slope, x, y1, y2 }: Room,
  list: Uint32Array,
  i: number,
  isSame: boolean,
): boolean {
  const { field, size } = group
  const [a = 0, b = 0, to = 0] = [list[3 * i], list[3 * i + 1], list[3 * i + 2]]
  const [x1, x2, inverse] = [a & ~1, b & ~1, slopes + size * i]
  readY(group, a, y1)
  if (isSame) {
    if (field.isZero(inverse)) return false
    // Of the tangent: 3x² over 2y.
    field.square(x1, x)
    field.add(x, x, slope)
    field.add(slope, x, slope)
  } else {
    readY(group, b, y2)
    field.subtract(y2, y1, slope)
  }
  field.multiply(slope, inverse, slope)
  field.square(slope, x)
  field.subtract(x, x1, x)
  field.subtract(x, x2, x)
  // Both points are read but for the first one's x.
  field.subtract(x1, x, y2)
  field.multiply(y2, slope, y2)
  field.subtract(y2, y1, to + size)
  field.copy(x, to)
  return true
}
