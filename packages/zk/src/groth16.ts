/**
 * Makes Groth16 proofs on one thread: sums of points (multi-exp.ts) and rows (quotient.ts) by the engine's vectors, all else by the arithmetic with which snarkjs proves; its key in memory once. snarkjs and the
 * contract check them. Many threads together: groth16-threads.ts.
 * @module
 */
import type { ProgramName } from './programs.ts'
import { ELEMENT_BYTES, montgomery, openCurve, writeNumber } from './curve-memory.ts'
import type { CurveMemory } from './curve-memory.ts'
import type { Proved } from './prover-jobs.ts'
import { bytesOf, type KeyFile, openKeyFile } from './key-file.ts'
import { createMultiExp, multiExpBytes } from './multi-exp.ts'
import { type Blinds, createBlinding, openPoint, randomBlinds } from './proof-sums.ts'
import { copyItems, placeProvingKey, type ProvingKey, type WirePoints } from './proving-key.ts'
import { createQuotient, quotientBytes } from './quotient.ts'

/** Makes the proof for a witness: every wire, 32 bytes each, least byte first, below the scalars' order. That it meets the constraints is for its maker to see. */
export type Groth16Prover = (witness: Uint8Array) => Proved

/** For a few points and numbers, and what the library takes while it inverts. */
const SPARE_BYTES = 65_536

/** Places a program's key. @param drawBlinds - for each proof; fixed ones, which hide nothing, are for tests */
export function createGroth16(
  program: ProgramName,
  zkey: Uint8Array,
  drawBlinds: () => Blinds = randomBlinds,
): Groth16Prover {
  const file = openKeyFile(bytesOf(zkey))
  const curve = openCurve(program, roomBytes(file) + zkey.length)
  const key = placeProvingKey(curve, file)
  const wires = curve.alloc(key.wires * ELEMENT_BYTES)
  const quotient = createQuotient(curve, key, (take) => take(key.terms.at, key.terms.count))
  const points = createPoints(curve, key)
  return (witness) => {
    new Uint8Array(curve.view.buffer).set(witness, wires)
    const proof = points(wires, quotient(wires), drawBlinds())
    return { signals: signalsOf(witness, key.publicSignals), proof }
  }
}

/** A witness' public signals: they follow the first wire, which is one. */
export function signalsOf(witness: Uint8Array, count: number): readonly bigint[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = witness.slice((i + 1) * ELEMENT_BYTES, (i + 2) * ELEMENT_BYTES)
    return BigInt(`0x${Buffer.from(bytes.reverse()).toString('hex')}`)
  })
}

/** Of memory, besides the key itself: for its rows, its wires, and sums of its points. */
function roomBytes(file: KeyFile): number {
  const most = file.count('c') + file.count('h') + file.count('b1')
  const numbers = quotientBytes(file.rows) + (file.wires + most) * ELEMENT_BYTES
  const sums = multiExpBytes('g1m', most) + multiExpBytes('g2m', file.count('b2'))
  return numbers + sums + SPARE_BYTES
}

/** Computes a proof from the wires, the quotient's rows and what blinds it. */
function createPoints(curve: CurveMemory, key: ProvingKey) {
  const most = key.c.wires.length + key.h.wires.length + key.b1.wires.length
  const sum1 = createMultiExp(curve, 'g1m', most)
  const sum2 = createMultiExp(curve, 'g2m', key.b2.wires.length)
  const scalars = curve.alloc(most * ELEMENT_BYTES)
  const multiply = curve.call('frm_mul')
  const factor = curve.alloc(ELEMENT_BYTES)
  const blind = createBlinding(curve, key.constants)
  const [a, c] = [openPoint(curve, 'g1m'), openPoint(curve, 'g1m')]
  const b = openPoint(curve, 'g2m')

  /** Picks the numbers of some points, and says where the next ones go. */
  function pick({ wires }: WirePoints, numbers: number, to: number): number {
    const memory = new Uint8Array(curve.view.buffer)
    copyItems(memory.subarray(numbers), { size: ELEMENT_BYTES, places: wires }, memory, to)
    return to + ELEMENT_BYTES * wires.length
  }

  /** C's sum, the quotient's, and that of B in the first group r times: all of the third point that is a sum. */
  function pickThird(wires: number, rows: number, r: bigint): void {
    const last = pick(key.b1, wires, pick(key.h, rows, pick(key.c, wires, scalars)))
    writeNumber(curve.view, factor, montgomery(r))
    for (let at = last - ELEMENT_BYTES * key.b1.wires.length; at < last; at += ELEMENT_BYTES)
      multiply(at, factor, at)
  }

  return (wires: number, rows: number, blinds: Blinds): Uint8Array => {
    pick(key.a, wires, scalars)
    sum1(key.a.at, scalars, key.a.wires.length, a.at)
    pick(key.b2, wires, scalars)
    sum2(key.b2.at, scalars, key.b2.wires.length, b.at)
    pickThird(wires, rows, blinds.r)
    sum1(key.c.at, scalars, most, c.at)
    return blind({ a, b, c }, blinds)
  }
}
