/**
 * Sums of points, each times a number: nearly all of what a proof costs. Pippenger's method with signed digits: the points of one digit are summed first, as its bucket. What buckets count is summed
 * in two steps, each over all of them at once, down to a sum for each bit of the numbers; these are doubled together at last.
 * @module
 */
import { sumBits, sumsOfWindow } from './bucket-sums.ts'
import { type CurveMemory, ELEMENT_BYTES } from './curve-memory.ts'
import { openGroup, type GroupName } from './group.ts'
import { openPairAdder, pairAdderBytes, pairPointBytes } from './pair-adder.ts'
import { type PairAdder } from './pair-adder-port.ts'

/** Sums `count` affine points at `bases`, none of them the identity, each times its scalar of 32 bytes at `scalars`. The sum, a Jacobian point, stands at `to`. */
export type MultiExp = (bases: number, scalars: number, count: number, to: number) => void

/** Bytes of memory that sums of up to so many points take, besides points and scalars. */
export function multiExpBytes(name: GroupName, most: number): number {
  const points = most + placesOf(most) + ALL_BITS
  return pairAdderBytes(name) + points * pairPointBytes(name)
}

/** For sums of up to so many points. */
export function createMultiExp(
  curve: CurveMemory,
  name: GroupName,
  most: number,
  adder: PairAdder = openPairAdder(curve, name),
): MultiExp {
  const group = openGroup(curve, name)
  const affineBytes = 2 * group.size
  const [points, places] = [curve.alloc(most * adder.pointBytes), placesOf(most)]
  const next = curve.alloc(places * adder.pointBytes)
  const end = next + places * adder.pointBytes
  const sums = curve.alloc(ALL_BITS * affineBytes)
  return (bases, scalars, count, to) => {
    const bits = digitBits(count)
    const together = Math.max(1, Math.floor(places / sumsOfWindow(count, bits)))
    const numbers = new Uint32Array(curve.view.buffer, scalars, (count * ELEMENT_BYTES) / 4)
    const windows = signedDigits(numbers, count, bits)
    adder.place(bases, count, points)
    const isSum = new Uint8Array(ALL_BITS)
    for (let window = 0; window < windows.length; window += together) {
      const digits = windows.slice(window, window + together)
      const { entries, starts, lengths } = sumBits(adder, points, digits, bits, { next, end })
      for (const [i, length] of lengths.entries()) {
        const bit = window * bits + i
        isSum[bit] = length
        if (length > 0) adder.show(entries[starts[i] ?? 0] ?? 0, sums + bit * affineBytes)
      }
    }
    group.zero(to)
    for (let bit = isSum.lastIndexOf(1); bit >= 0; bit--) {
      group.double(to, to)
      if (isSum[bit]) group.addAffine(to, sums + bit * affineBytes, to)
    }
  }
}

/** Of a scalar, and one for what the last digit carries. */
const SCALAR_BITS = 255
/** Of a digit with its sign, so that it is a word of 16 bits. */
const MOST_DIGIT_BITS = 15
/** Of all digits of a number. */
const ALL_BITS = SCALAR_BITS + MOST_DIGIT_BITS
/** For sums of points: windows whose sums fit are worked on together, so that few inversions are for a few sums, and what is summed stays in the processor's cache. */
const MOST_PLACES = 32_768

function placesOf(most: number): number {
  return Math.max(sumsOfWindow(most, digitBits(most)), MOST_PLACES)
}

/** With which the sum takes the fewest additions: a point takes one in each window, a bucket another. */
function digitBits(count: number): number {
  const cost = (bits: number): number => Math.ceil(SCALAR_BITS / bits) * (count + 2 ** (bits - 1))
  let best = 2
  for (let bits = 3; bits <= MOST_DIGIT_BITS; bits++) if (cost(bits) < cost(best)) best = bits
  return best
}

/** The numbers in base 2^bits, least digit first, each from -2^(bits-1) to 2^(bits-1): half as many buckets as without a sign. */
function signedDigits(numbers: Uint32Array, count: number, bits: number): readonly Int16Array[] {
  const size = ELEMENT_BYTES / 4
  const [base, half] = [1 << bits, 1 << (bits - 1)]
  const carries = new Uint8Array(count)
  return Array.from({ length: Math.ceil(SCALAR_BITS / bits) }, (_, window) => {
    const [word, shift] = [(window * bits) >>> 5, (window * bits) & 31]
    const digits = new Int16Array(count)
    for (let i = 0; i < count; i++) {
      const low = (numbers[i * size + word] ?? 0) >>> shift
      const isSplit = shift + bits > 32 && word + 1 < size
      const high = isSplit ? (numbers[i * size + word + 1] ?? 0) << (32 - shift) : 0
      const digit = ((low | high) & (base - 1)) + (carries[i] ?? 0)
      const isCarried = digit > half
      carries[i] = isCarried ? 1 : 0
      digits[i] = isCarried ? digit - base : digit
    }
    return digits
  })
}
