/**
 * Adds pairs of affine points of a group, many at once, by the engine's vectors where they are exact (pair-code.ts), which takes a fourth of the time, and else by the library's
 * arithmetic (plain-pairs.ts). What is the sum of a point and itself, or of opposite ones, is found and done apart.
 * @module
 */
import { type CurveCall, type CurveMemory, ELEMENT_BYTES, writeNumber } from './curve-memory.ts'
import { hasExactVectors } from './exact-vectors.ts'
import type { GroupName } from './group.ts'
import { digitsOf, LIMB_BITS, LIMB_RADIX, LIMBS } from './limb-field.ts'
import { NUMBER_BYTES, PAIR_BYTES } from './number-code.ts'
import { type Degree, PAIR_ROOM_BYTES, pairCode, SUM_BYTES } from './pair-code.ts'
import { createPlainPairs } from './plain-pairs.ts'
import { COORDINATE_MODULUS } from './proof.ts'
import { VECTOR_BYTES } from './vector-code.ts'
import type { PairAdder } from './pair-adder-port.ts'

/** Bytes of memory that an adder takes, besides its points. */
export function pairAdderBytes(group: GroupName): number {
  return (
    ALIGNMENT +
    PAIR_ROOM_BYTES +
    LIST_SUMS * SUM_BYTES +
    (LIST_SUMS + 1) * PAIR_BYTES * DEGREES[group] +
    SPARE_BYTES
  )
}

/** Bytes of a point, whatever it is added by. */
export function pairPointBytes(group: GroupName): number {
  return 2 * NUMBER_BYTES * DEGREES[group]
}

/** Opens one. */
export function openPairAdder(curve: CurveMemory, group: GroupName): PairAdder {
  return hasExactVectors() ? new VectorPairs(curve, group) : createPlainPairs(curve, group)
}

/** Sums that share an inversion, which takes as long as a hundred sums. */
const LIST_SUMS = 2048
const DEGREES = { g1m: 1, g2m: 2 } as const
/** Two points and one more, as the library has them. */
const SPARE_BYTES = 7 * 2 * ELEMENT_BYTES

type Functions = Readonly<Record<'read' | 'forward' | 'backward', (...at: number[]) => void>>

class VectorPairs implements PairAdder {
  readonly pointBytes: number
  readonly most = LIST_SUMS
  readonly list: Uint32Array
  readonly #view: DataView<ArrayBuffer>
  readonly #degree: Degree
  /** Bytes of a pair of coordinates. */
  readonly #size: number
  readonly #functions: Functions
  readonly #differences: number
  readonly #products: number
  readonly #sumOfSame: (adder: PairAdder, a: number, b: number) => number | undefined

  constructor(curve: CurveMemory, group: GroupName) {
    this.#view = curve.view
    this.#degree = DEGREES[group]
    this.#size = PAIR_BYTES * this.#degree
    this.pointBytes = pairPointBytes(group)
    const room = Math.ceil(curve.alloc(pairAdderBytes(group)) / ALIGNMENT) * ALIGNMENT
    this.#functions = openFunctions(curve, this.#degree, room)
    this.#products = room + PAIR_ROOM_BYTES
    this.#differences = this.#products + (LIST_SUMS / 2 + 1) * this.#size
    const list = this.#differences + (LIST_SUMS / 2) * this.#size
    this.list = new Uint32Array(curve.view.buffer, list, (LIST_SUMS * SUM_BYTES) / 4)
    const one = digitsOf(LIMB_RADIX % COORDINATE_MODULUS)
    for (const [i, digit] of one.entries())
      for (const lane of [0, 8])
        curve.view.setFloat64(this.#products + VECTOR_BYTES * i + lane, digit, true)
    this.#sumOfSame = openSumOfSame(curve, group, list + LIST_SUMS * SUM_BYTES)
  }

  place(points: number, count: number, to: number): void {
    const bytes = count * 2 * this.#degree * ELEMENT_BYTES
    if (bytes > 0) this.#functions.read(points, points + bytes, to)
  }

  add(count: number): readonly number[] {
    if (count === 0) return []
    const last = this.#forward(count)
    if (!this.#isZero(last) && !this.#isZero(last + LANE_BYTES)) {
      this.#backward(count)
      return []
    }
    const { left, identities } = this.#takeOutSame(count)
    if (left > 0) {
      this.#forward(left)
      this.#backward(left)
    }
    return identities
  }

  show(point: number, to: number): void {
    const isNegated = (point & 1) === 1
    for (let i = 0; i < 2 * this.#degree; i++) {
      const value = this.#read((point & ~1) + NUMBER_BYTES * i, LANE_BYTES)
      const signed = isNegated && i >= this.#degree ? -value : value
      // Times 2^256 instead of 2^255.
      writeNumber(this.#view, to + ELEMENT_BYTES * i, modulo(2n * signed))
    }
  }

  /** Returns where the last product stands. */
  #forward(count: number): number {
    const { list } = this
    // What has no other goes with itself.
    if (count % 2 === 1) list.copyWithin(3 * count, 3 * count - 3, 3 * count)
    const groups = Math.ceil(count / 2)
    const end = list.byteOffset + 2 * groups * SUM_BYTES
    this.#functions.forward(list.byteOffset, end, this.#differences, this.#products)
    return this.#products + groups * this.#size
  }

  #backward(count: number): void {
    const groups = Math.ceil(count / 2)
    const start = this.list.byteOffset
    const [differences, products] = [this.#differences, this.#products].map(
      (at) => at + groups * this.#size,
    )
    this.#functions.backward(start, start + 2 * groups * SUM_BYTES, differences ?? 0, products ?? 0)
  }

  /** Makes sums of points with the same x, and takes them out of the list. */
  #takeOutSame(count: number): { readonly left: number; readonly identities: readonly number[] } {
    const { list } = this
    const identities: number[] = []
    let left = 0
    for (let i = 0; i < count; i++) {
      if (!this.#isZero(this.#differences + (i >> 1) * this.#size + LANE_BYTES * (i & 1))) {
        list.copyWithin(3 * left++, 3 * i, 3 * i + 3)
        continue
      }
      const [a = 0, b = 0, to = 0] = list.subarray(3 * i, 3 * i + 3)
      const sum = this.#sumOfSame(this, a, b)
      if (sum === undefined) identities.push(to)
      else this.place(sum, 1, to)
    }
    return { left, identities }
  }

  /** Of one coordinate of a pair. */
  #isZero(at: number): boolean {
    for (let part = 0; part < this.#degree; part++)
      if (modulo(this.#read(at + PAIR_BYTES * part, VECTOR_BYTES)) !== 0n) return false
    return true
  }

  /** A number whose digits stand so many bytes apart. */
  #read(at: number, step: number): bigint {
    let value = 0n
    for (let i = LIMBS - 1; i >= 0; i--)
      value = (value << BigInt(LIMB_BITS)) + BigInt(this.#view.getFloat64(at + step * i, true))
    return value
  }
}

/** Bytes of a digit. */
const LANE_BYTES = VECTOR_BYTES / 2
/** Of what is loaded at once, or lies in one line of a cache. */
const ALIGNMENT = 64

function modulo(value: bigint): bigint {
  const rest = value % COORDINATE_MODULUS
  return rest < 0n ? rest + COORDINATE_MODULUS : rest
}

function openFunctions(curve: CurveMemory, degree: Degree, at: number): Functions {
  const { module, room } = pairCode(degree, at)
  new Uint8Array(curve.view.buffer).set(room, at)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), {
    env: { memory: curve.memory },
  })
  return exports as Functions
}

/** Doubles a point that is added to itself, in the library's form; undefined when the other is its opposite. */
function openSumOfSame(
  curve: CurveMemory,
  group: GroupName,
  at: number,
): (adder: PairAdder, a: number, b: number) => number | undefined {
  const size = 2 * ELEMENT_BYTES * DEGREES[group]
  const [other, jacobian] = [at + size, at + 2 * size]
  const call = (name: string): CurveCall => curve.call(`${group}_${name}`)
  const [equal, toJacobian, double, toAffine] = [
    call('eqAffine'),
    call('toJacobian'),
    call('double'),
    call('toAffine'),
  ]
  return (adder, a, b) => {
    adder.show(a, at)
    adder.show(b, other)
    if (!equal(at, other)) return undefined
    toJacobian(at, jacobian)
    double(jacobian, jacobian)
    toAffine(jacobian, at)
    return at
  }
}
