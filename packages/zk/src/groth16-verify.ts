/**
 * Checks Groth16 proofs on one thread (Groth, ePrint 2016/260, §3.2): e(A, B) = e(α, β) · e(S, γ) · e(C, δ), where S is the public signals' sum. What does not depend on the
 * proof is computed once: e(α, β), the lines of γ and δ, and multiples of the points of S.
 * @module
 */
import type { ProgramName } from './programs.ts'
import { type CurveMemory, ELEMENT_BYTES, openCurve } from './curve-memory.ts'
import { createFixedSum, fixedSumBytes } from './fixed-sum.ts'
import { openPairing } from './pairing.ts'
import { createProofReader, writeCoordinates } from './proof-points.ts'
import { SCALAR_ORDER } from './proof.ts'

/** Whether a proof holds for these signals. Malformed ones do not. */
export type Groth16Verifier = (signals: readonly bigint[], proof: Uint8Array) => boolean

/** What is needed of snarkjs' verification key: coordinates in decimal digits, real part first. */
export type VerificationKey = {
  readonly vk_alpha_1: readonly string[]
  readonly vk_beta_2: readonly (readonly string[])[]
  readonly vk_gamma_2: readonly (readonly string[])[]
  readonly vk_delta_2: readonly (readonly string[])[]
  /** One more than there are signals: the first is taken once. */
  readonly IC: readonly (readonly string[])[]
}

const G1_BYTES = 2 * ELEMENT_BYTES
const G2_BYTES = 4 * ELEMENT_BYTES
/** Lines of three points, elements, and what is computed with. */
const ROOM_BYTES = 256 * 1024

/** Prepares a key. What is in it is as its maker says: check the file's hash before. */
export function createGroth16Verifier(program: ProgramName, key: VerificationKey): Groth16Verifier {
  const curve = openCurve(program, ROOM_BYTES + fixedSumBytes(key.IC.length))
  const pairing = openPairing(curve)
  const read = createProofReader(curve)
  const sumOf = createSignalSum(curve, key.IC)
  const linesOf = (point: number): number => {
    const lines = curve.alloc(pairing.linesBytes)
    pairing.drawLines(point, lines)
    return lines
  }
  const [gamma, delta] = [key.vk_gamma_2, key.vk_delta_2].map((point) =>
    linesOf(placeG2(curve, point)),
  )
  const lines = curve.alloc(pairing.linesBytes)
  const [expected, product] = [curve.alloc(pairing.elementBytes), curve.alloc(pairing.elementBytes)]
  const [negate, negated] = [curve.call('g1m_negAffine'), curve.alloc(G1_BYTES)]
  const alpha = placeG1(curve, key.vk_alpha_1)
  negate(alpha, alpha)
  pairing.product([{ point: alpha, lines: linesOf(placeG2(curve, key.vk_beta_2)) }], expected)
  return (signals, proof) => {
    const isInRange = signals.every((signal) => signal >= 0n && signal < SCALAR_ORDER)
    if (!isInRange || signals.length !== key.IC.length - 1) return false
    const points = read(proof)
    if (!points || gamma === undefined || delta === undefined) return false
    pairing.drawLines(points.b, lines)
    // Divided by the left side, all is one side: e(-A, B) · e(S, γ) · e(C, δ) = e(-α, β).
    negate(points.a, negated)
    const pairs = [
      { point: negated, lines },
      { point: sumOf(signals), lines: gamma },
      { point: points.c, lines: delta },
    ]
    pairing.product(pairs, product)
    return pairing.isSame(product, expected)
  }
}

/** Sums the first point once and the others times the signals, as an affine point. The identity stands as (0, 0): what its lines are then, the product's last power takes to one. */
function createSignalSum(
  curve: CurveMemory,
  [first = [], ...others]: readonly (readonly string[])[],
): (signals: readonly bigint[]) => number {
  const base = placeG1(curve, first)
  const points = curve.alloc(others.length * G1_BYTES)
  for (const [i, point] of others.entries()) writeG1(curve, points + i * G1_BYTES, point)
  const add = createFixedSum(curve, points, others.length)
  const [sum, affine] = [curve.alloc((3 * G1_BYTES) / 2), curve.alloc(G1_BYTES)]
  const [toJacobian, toAffine] = [curve.call('g1m_toJacobian'), curve.call('g1m_toAffine')]
  return (signals) => {
    toJacobian(base, sum)
    add(signals, sum)
    toAffine(sum, affine)
    return affine
  }
}

function placeG1(curve: CurveMemory, point: readonly string[]): number {
  const at = curve.alloc(G1_BYTES)
  writeG1(curve, at, point)
  return at
}

function writeG1(curve: CurveMemory, at: number, point: readonly string[]): void {
  writeCoordinates(curve, at, point.slice(0, 2).map(BigInt))
}

function placeG2(curve: CurveMemory, point: readonly (readonly string[])[]): number {
  const at = curve.alloc(G2_BYTES)
  writeCoordinates(curve, at, point.slice(0, 2).flat().map(BigInt))
  return at
}
