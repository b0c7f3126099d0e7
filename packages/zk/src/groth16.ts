/**
 * Makes Groth16 proofs on one thread: the arithmetic with which snarkjs proves, its sums by fewer multiplications (multi-exp.ts), its key in memory once. snarkjs and the
 * contract check them. The equations: Groth, ePrint 2016/260, §3.2, blinded as there.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { ProgramName } from './artefacts.ts'
import { ELEMENT_BYTES, montgomery, openCurve, writeNumber } from './curve-memory.ts'
import type { CurveMemory } from './curve-memory.ts'
import type { Proved } from './engine.ts'
import type { GroupName } from './group.ts'
import { createMultiExp } from './multi-exp.ts'
import { SCALAR_ORDER } from './proof.ts'
import { placeProvingKey, type ProvingKey, type WirePoints } from './proving-key.ts'
import { createQuotient } from './quotient.ts'

/** Makes the proof for a witness: every wire, 32 bytes each, least byte first, below the scalars' order. That it meets the constraints is for its maker to see. */
export type Groth16Prover = (witness: Uint8Array) => Proved

/** Of the field, in an affine point. */
const NUMBERS = { g1m: 2, g2m: 4 } as const
/** Of memory, for each byte of a key: what is computed from it takes half as much again, and inverting a little for a while. */
const ROOM_PER_KEY_BYTE = 3
const RANDOM_BYTES = 48

/** Places a program's key. */
export function createGroth16(program: ProgramName, zkey: Uint8Array): Groth16Prover {
  const curve = openCurve(program, ROOM_PER_KEY_BYTE * zkey.length)
  const key = placeProvingKey(curve, zkey)
  const wires = curve.alloc(key.wires * ELEMENT_BYTES)
  const quotient = createQuotient(curve, key)
  const points = createPoints(curve, key)
  return (witness) => {
    new Uint8Array(curve.view.buffer).set(witness, wires)
    const proof = points(wires, quotient(wires), randomScalar(), randomScalar())
    return { signals: signalsOf(witness, key.publicSignals), proof }
  }
}

/** They follow the first wire, which is one. */
function signalsOf(witness: Uint8Array, count: number): readonly bigint[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = witness.slice((i + 1) * ELEMENT_BYTES, (i + 2) * ELEMENT_BYTES)
    return BigInt(`0x${Buffer.from(bytes.reverse()).toString('hex')}`)
  })
}

/** Computes the three points of a proof from the wires, the quotient's rows and two random numbers. */
function createPoints(curve: CurveMemory, key: ProvingKey) {
  const most = key.c.wires.length + key.h.wires.length + key.b1.wires.length
  const sum1 = createMultiExp(curve, 'g1m', most)
  const sum2 = createMultiExp(curve, 'g2m', key.b2.wires.length)
  const scalars = curve.alloc(most * ELEMENT_BYTES)
  const [copy, multiply] = [curve.call('frm_copy'), curve.call('frm_mul')]
  const [random, factor] = [curve.alloc(2 * ELEMENT_BYTES), curve.alloc(ELEMENT_BYTES)]
  const [a, c] = [openPoint(curve, 'g1m'), openPoint(curve, 'g1m')]
  const b = openPoint(curve, 'g2m')

  /** Picks the numbers of some points, and says where the next ones go. */
  function pick({ wires }: WirePoints, numbers: number, to: number): number {
    for (const [i, wire] of wires.entries())
      copy(numbers + ELEMENT_BYTES * wire, to + ELEMENT_BYTES * i)
    return to + ELEMENT_BYTES * wires.length
  }

  /** C's sum, the quotient's, and that of B in the first group r times: all of the third point that is a sum. */
  function pickThird(wires: number, rows: number, r: bigint): void {
    const last = pick(key.b1, wires, pick(key.h, rows, pick(key.c, wires, scalars)))
    writeNumber(curve.view, factor, montgomery(r))
    for (let at = last - ELEMENT_BYTES * key.b1.wires.length; at < last; at += ELEMENT_BYTES)
      multiply(at, factor, at)
  }

  return (wires: number, rows: number, r: bigint, s: bigint): Uint8Array => {
    const [atR, atS] = [random, random + ELEMENT_BYTES]
    writeNumber(curve.view, atR, r)
    writeNumber(curve.view, atS, s)
    pick(key.a, wires, scalars)
    sum1(key.a.at, scalars, key.a.wires.length, a.at)
    a.add(key.alpha1)
    a.add(key.delta1, atR)
    pick(key.b2, wires, scalars)
    sum2(key.b2.at, scalars, key.b2.wires.length, b.at)
    b.add(key.beta2)
    b.add(key.delta2, atS)
    pickThird(wires, rows, r)
    sum1(key.c.at, scalars, most, c.at)
    const shown = [a.show(), b.show()]
    // Of r times B, what is left; with s times A, where r·s·delta stands once too often and once too little.
    c.add(key.beta1, atR)
    c.add(a.affine, atS)
    return Uint8Array.from(Buffer.concat([...shown, c.show()]))
  }
}

/** A Jacobian point at `at`. */
type SumPoint = {
  readonly at: number
  /** Where `show` leaves it in affine form. */
  readonly affine: number
  /** Adds an affine point, times a scalar. */
  add(point: number, scalar?: number): void
  /** As a proof holds it: each coordinate with its greatest byte first, and with its imaginary part first. */
  show(): Uint8Array
}

function openPoint(curve: CurveMemory, group: GroupName): SumPoint {
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
