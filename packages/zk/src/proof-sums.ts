/**
 * The last steps of a proof: its three sums of points, blinded by two random numbers. The equations: Groth, ePrint 2016/260, §3.2.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { type CurveMemory, ELEMENT_BYTES, writeNumber } from './curve-memory.ts'
import type { GroupName } from './group.ts'
import { SCALAR_ORDER } from './proof.ts'
import type { KeyConstants } from './proving-key.ts'

/** A proof's sums over the witness. */
export type ProofSums = {
  readonly a: SumPoint
  readonly b: SumPoint
  /** That of the wires, that of the rows, and r times B's in the first group. */
  readonly c: SumPoint
}

/** What blinds one proof: uniform, never shown, never used again. */
export type Blinds = { readonly r: bigint; readonly s: bigint }

/** Blinds the sums, which change, and shows them as a proof's 256 bytes. */
export function createBlinding(
  curve: CurveMemory,
  key: KeyConstants,
): (sums: ProofSums, blinds: Blinds) => Uint8Array {
  const [atR, atS] = [curve.alloc(ELEMENT_BYTES), curve.alloc(ELEMENT_BYTES)]
  return ({ a, b, c }, { r, s }) => {
    writeNumber(curve.view, atR, r)
    writeNumber(curve.view, atS, s)
    a.add(key.alpha1)
    a.add(key.delta1, atR)
    b.add(key.beta2)
    b.add(key.delta2, atS)
    const shown = [a.show(), b.show()]
    // Of r times B, what is left; with s times A, where r·s·delta stands once too often and once too little.
    c.add(key.beta1, atR)
    c.add(a.affine, atS)
    return Uint8Array.from(Buffer.concat([...shown, c.show()]))
  }
}

/** Draws them. */
export function randomBlinds(): Blinds {
  return { r: randomScalar(), s: randomScalar() }
}

/** A Jacobian point at `at`. */
export type SumPoint = {
  readonly at: number
  /** Where `show` leaves it in affine form. */
  readonly affine: number
  /** Adds an affine point, times a scalar. */
  add(point: number, scalar?: number): void
  /** As a proof holds it: each coordinate with its greatest byte first, and with its imaginary part first. */
  show(): Uint8Array
}

/** Of the field, in an affine point. */
const NUMBERS = { g1m: 2, g2m: 4 } as const
const RANDOM_BYTES = 48

/** Room for a point; it is none yet. */
export function openPoint(curve: CurveMemory, group: GroupName): SumPoint {
  const numbers = NUMBERS[group]
  const bytes = numbers * ELEMENT_BYTES
  const [at, product] = [curve.alloc((3 * bytes) / 2), curve.alloc((3 * bytes) / 2)]
  const [affine, plain] = [curve.alloc(bytes), curve.alloc(bytes)]
  const [addAffine, add] = [curve.call(`${group}_addMixed`), curve.call(`${group}_add`)]
  const times = curve.call(`${group}_timesScalarAffine`)
  const [toAffine, toPlain] = [curve.call(`${group}_toAffine`), curve.call('f1m_fromMontgomery')]
  return {
    at,
    affine,
    add(point, scalar) {
      if (scalar === undefined) addAffine(at, point, at)
      else {
        times(point, scalar, ELEMENT_BYTES, product)
        add(at, product, at)
      }
    },
    show() {
      toAffine(at, affine)
      for (let i = 0; i < bytes; i += ELEMENT_BYTES) toPlain(affine + i, plain + i)
      const half = bytes / 2
      const coordinates = [0, half].map((i) => new Uint8Array(curve.view.buffer, plain + i, half))
      return Buffer.concat(coordinates.map((coordinate) => coordinate.toReversed()))
    },
  }
}

/** Uniform to 2^-128, and not zero. */
function randomScalar(): bigint {
  const random = BigInt(`0x${randomBytes(RANDOM_BYTES).toString('hex')}`)
  return 1n + (random % (SCALAR_ORDER - 1n))
}
