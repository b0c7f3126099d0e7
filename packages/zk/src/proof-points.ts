/**
 * Reads a proof's points into the memory of the curve, and refuses what is none: wrong lengths, a coordinate at or above the field's modulus (so that no proof has two forms),
 * the identity, points off the curve, and of the second group such as are not of its prime order. As the EVM's pairing does (EIP-197), but for the identity.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES, writeNumber } from './curve-memory.ts'
import { COORDINATE_MODULUS, PROOF_BYTES, SCALAR_ORDER } from './proof.ts'

/** Where the three affine points stand. */
export type ProofPoints = { readonly a: number; readonly b: number; readonly c: number }

/** Reads a proof of 256 bytes over the one before; undefined when it has not three points of their groups. */
export type ProofReader = (proof: Uint8Array) => ProofPoints | undefined

const G1_BYTES = 2 * ELEMENT_BYTES
const G2_BYTES = 4 * ELEMENT_BYTES

/** Creates a reader. */
export function createProofReader(curve: CurveMemory): ProofReader {
  const points = { a: curve.alloc(G1_BYTES), b: curve.alloc(G2_BYTES), c: curve.alloc(G1_BYTES) }
  const [onFirst, onSecond] = [curve.call('g1m_inCurveAffine'), curve.call('g2m_inCurveAffine')]
  const isOfOrder = createOrderCheck(curve)
  return (proof) => {
    const words = coordinatesOf(proof)
    if (!words) return undefined
    const [a, b, c] = [words.slice(0, 2), words.slice(2, 6), words.slice(6)]
    if ([a, b, c].some((point) => point.every((word) => word === 0n))) return undefined
    // Of a proof's coordinates in the second group the imaginary part stands first.
    const [bx1 = 0n, bx0 = 0n, by1 = 0n, by0 = 0n] = b
    writeCoordinates(curve, points.a, a)
    writeCoordinates(curve, points.b, [bx0, bx1, by0, by1])
    writeCoordinates(curve, points.c, c)
    const isOnCurve = onFirst(points.a) && onSecond(points.b) && onFirst(points.c)
    return isOnCurve && isOfOrder(points.b) ? points : undefined
  }
}

/** Writes coordinates as the library keeps them. */
export function writeCoordinates(curve: CurveMemory, at: number, words: readonly bigint[]): void {
  const toMontgomery = curve.call('f1m_toMontgomery')
  for (const [i, word] of words.entries()) {
    const to = at + ELEMENT_BYTES * i
    writeNumber(curve.view, to, word)
    toMontgomery(to, to)
  }
}

function coordinatesOf(proof: Uint8Array): readonly bigint[] | undefined {
  if (proof.length !== PROOF_BYTES) return undefined
  const bytes = Buffer.from(proof.buffer, proof.byteOffset, proof.length)
  const words = Array.from({ length: PROOF_BYTES / ELEMENT_BYTES }, (_, i) =>
    BigInt(`0x${bytes.toString('hex', i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES)}`),
  )
  return words.every((word) => word < COORDINATE_MODULUS) ? words : undefined
}

/** Of the curve of the second group: what the Frobenius map's coordinates are multiplied with, ξ^((p-1)/3) and ξ^((p-1)/2) for ξ = 9 + i. */
const FROBENIUS_X = [
  21575463638280843010398324269430826099269044274347216827212613867836435027261n,
  10307601595873709700152284273816112264069230130616436755625194854815875713954n,
] as const
const FROBENIUS_Y = [
  2821565182194536844548159561693502659359617185244120367078079554186484126554n,
  3505843767911556378687030309984248845540243509899259641013678093033130930403n,
] as const
/** The trace of Frobenius less one, t - 1 = p - r, has half as many bits as the order. */
const TRACE_LESS_ONE: bigint = COORDINATE_MODULUS - SCALAR_ORDER
const TRACE_BYTES = 16

/**
 * Whether a point of the curve is of the prime order r: when the Frobenius map ψ takes it to its (t - 1)-fold. For ψ² - tψ + p = 0 on the whole curve, so that such a point's
 * (t - 1)² - t(t - 1) + p = p + 1 - t = r-fold is the identity; and on all points of order r ψ does so.
 */
function createOrderCheck(curve: CurveMemory): (point: number) => boolean {
  const [factorX, factorY] = [curve.alloc(G1_BYTES), curve.alloc(G1_BYTES)]
  writeCoordinates(curve, factorX, FROBENIUS_X)
  writeCoordinates(curve, factorY, FROBENIUS_Y)
  const trace = curve.alloc(ELEMENT_BYTES)
  writeNumber(curve.view, trace, TRACE_LESS_ONE)
  const [image, multiple] = [curve.alloc(G2_BYTES), curve.alloc((3 * G2_BYTES) / 2)]
  const [conjugate, multiply] = [curve.call('f2m_conjugate'), curve.call('f2m_mul')]
  const [times, equal] = [curve.call('g2m_timesScalarAffine'), curve.call('g2m_eqMixed')]
  return (point) => {
    conjugate(point, image)
    multiply(image, factorX, image)
    conjugate(point + G1_BYTES, image + G1_BYTES)
    multiply(image + G1_BYTES, factorY, image + G1_BYTES)
    times(point, trace, TRACE_BYTES, multiple)
    return equal(multiple, image) !== 0
  }
}
