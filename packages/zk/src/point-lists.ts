/**
 * Sums of many lists of points at once, as a tournament of pairs (pair-adder.ts): the first with the second point of a list, the third with the fourth … Points stay where they
 * are; lists say where.
 * @module
 */
import type { PairAdder } from './pair-adder-port.ts'

/** Lists of points: `lengths[i]` addresses from `entries[starts[i]]` on, odd where the point is negated. */
export type PointLists = {
  readonly entries: Uint32Array
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
}

/** Memory in which sums are put, from its start on. */
export type SumRoom = {
  /** Where the next one goes. */
  next: number
  readonly end: number
}

/** Sorts points into lists by their numbers; those with a negative one are of none. */
export function sortIntoLists(
  points: ArrayLike<number>,
  numbers: ArrayLike<number>,
  count: number,
): PointLists {
  const [starts, lengths] = [new Uint32Array(count), new Uint32Array(count)]
  for (let i = 0; i < numbers.length; i++) {
    const list = numbers[i] ?? -1
    if (list >= 0) increment(lengths, list)
  }
  let all = 0
  for (let list = 0; list < count; list++) {
    starts[list] = all
    all += lengths[list] ?? 0
  }
  lengths.fill(0)
  const entries = new Uint32Array(all)
  for (let i = 0; i < points.length; i++) {
    const list = numbers[i] ?? -1
    if (list < 0) continue
    entries[(starts[list] ?? 0) + increment(lengths, list)] = points[i] ?? 0
  }
  return { entries, starts, lengths }
}

/** Sums each list: what is left of it is its sum, or nothing where that is the identity. Points that are there stay as they are. */
export function sumLists(adder: PairAdder, lists: PointLists, room: SumRoom): void {
  const first = room.next
  while (lists.lengths.some((length) => length > 1)) addPairs(adder, lists, room, first)
}

/** No point: no address is 0. */
const IDENTITY = 0

/** One round. Sums from `first` on are of nobody else, and can be written over. */
function addPairs(adder: PairAdder, lists: PointLists, room: SumRoom, first: number): void {
  const { entries, starts, lengths } = lists
  const { list, most, pointBytes } = adder
  let next = room.next
  let count = 0
  let identities = 0
  const add = (): void => {
    if (next > room.end) throw new RangeError('no room for a sum')
    for (const to of adder.add(count)) {
      // What stands there from before comes later in the list.
      entries[entries.indexOf(to)] = IDENTITY
      identities++
    }
    count = 0
  }
  for (let l = 0; l < lengths.length; l++) {
    const length = lengths[l] ?? 0
    if (length < 2) continue
    const start = starts[l] ?? 0
    const half = length >> 1
    for (let pair = 0; pair < half; pair++) {
      const a = entries[start + 2 * pair] ?? 0
      const b = entries[start + 2 * pair + 1] ?? 0
      let to = a >= first ? a : b
      if (to < first) {
        to = next
        next += pointBytes
      }
      const at = 3 * count
      list[at] = a
      list[at + 1] = b
      list[at + 2] = to
      entries[start + pair] = to
      if (++count === most) add()
    }
    if (length & 1) entries[start + (length >> 1)] = entries[start + length - 1] ?? 0
    lengths[l] = (length + 1) >> 1
  }
  add()
  room.next = next
  if (identities > 0) dropIdentities(lists)
}

function dropIdentities({ entries, starts, lengths }: PointLists): void {
  for (let l = 0; l < lengths.length; l++) {
    const start = starts[l] ?? 0
    let left = 0
    for (let i = start; i < start + (lengths[l] ?? 0); i++)
      if (entries[i] !== IDENTITY) entries[start + left++] = entries[i] ?? 0
    lengths[l] = left
  }
}

/** Returns what it was. */
function increment(lengths: Uint32Array, list: number): number {
  const length = lengths[list] ?? 0
  lengths[list] = length + 1
  return length
}
