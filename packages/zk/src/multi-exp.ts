/**
 * Sums of points, each times a number: nearly all of what a proof costs. Pippenger's method with signed digits, over buckets whose points are added together (buckets.ts).
 * @module
 */
import { createBuckets } from './buckets.ts'
import { type CurveMemory, ELEMENT_BYTES } from './curve-memory.ts'
import { openGroup, type GroupName } from './group.ts'

/** Sums `count` affine points at `bases`, none of them the identity, each times its scalar of 32 bytes at `scalars`. The sum, a Jacobian point, stands at `to`. */
export type MultiExp = (bases: number, scalars: number, count: number, to: number) => void

/** Of a scalar, and one for what the last digit carries. */
const SCALAR_BITS = 255
/** Least count of points for digits of so many bits: where a window's points cost about five times its buckets. */
const DIGIT_BITS = [
  { points: 90_000, bits: 13 },
  { points: 45_000, bits: 12 },
  { points: 15_000, bits: 11 },
  { points: 6000, bits: 10 },
  { points: 3000, bits: 9 },
  { points: 1000, bits: 8 },
  { points: 0, bits: 6 },
] as const

/** For sums of up to so many points. */
export function createMultiExp(curve: CurveMemory, name: GroupName, most: number): MultiExp {
  const group = openGroup(curve, name)
  const buckets = createBuckets(curve, group, most)
  return (bases, scalars, count, to) => {
    const bits = DIGIT_BITS.find(({ points }) => count >= points)?.bits ?? 1
    const numbers = new Uint32Array(curve.view.buffer, scalars, (count * ELEMENT_BYTES) / 4)
    const windows = signedDigits(numbers, count, bits)
    group.zero(to)
    for (const digits of windows.toReversed()) {
      for (let bit = 0; bit < bits; bit++) group.double(to, to)
      group.add(to, buckets.sum(bases, digits, bits), to)
    }
  }
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
