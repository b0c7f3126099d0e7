/**
 * Products of pairings of BN254 (the optimal ate pairing: Vercauteren, ePrint 2008/096), with the arithmetic of curve-memory.ts. One loop over all pairs, so that the running
 * product is squared once for all of them; what depends on points of the second group alone is computed before.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES } from './curve-memory.ts'

/** An affine point of the first group, and the lines of one of the second. */
export type Pair = { readonly point: number; readonly lines: number }

/** Pairings by addresses. */
export interface Pairing {
  /** Bytes of an element of the pairing's group. */
  readonly elementBytes: number
  /** Bytes that {@link Pairing.drawLines} writes. */
  readonly linesBytes: number
  /** Computes the lines of an affine point of the second group's prime order. Of any other point what comes out means nothing. */
  drawLines(point: number, to: number): void
  /** The product of the pairs' pairings. A point of the first group that stands as (0, 0) is the identity. */
  product(pairs: readonly Pair[], to: number): void
  isSame(one: number, other: number): boolean
}

const PAIR_BYTES = 2 * ELEMENT_BYTES
/** The library leaves the point before its lines. */
const HEAD_BYTES = 3 * PAIR_BYTES
/** Three numbers of two coordinates each. */
const LINE_BYTES = 3 * PAIR_BYTES
const GT_BYTES = 12 * ELEMENT_BYTES
/** 6x + 2 of the curve's parameter x. */
const LOOP = 29_793_968_203_157_093_288n
/** Least bit first. */
const LOOP_BITS: readonly boolean[] = Array.from(
  LOOP.toString(2),
  (digit) => digit === '1',
).toReversed()
/** Of each bit after the highest: one line, and a second where it is set. */
const LOOP_LINES: readonly number[] = LOOP_BITS.slice(0, -1)
  .toReversed()
  .map((isSet) => (isSet ? 2 : 1))
/** With two more at the end; the library reserves one that it never writes. */
const LINES: number = LOOP_LINES.reduce((sum, lines) => sum + lines, 0) + 2

/** Opens the pairing over a memory. */
export function openPairing(curve: CurveMemory): Pairing {
  const [draw, toJacobian] = [curve.call('bn128_prepareG2'), curve.call('g2m_toJacobian')]
  const [square, setOne] = [curve.call('ftm_square'), curve.call('ftm_one')]
  const [byNumber, byLine] = [curve.call('f2m_mul1'), curve.call('bn128__mulBy024')]
  const [finish, equal] = [curve.call('bn128_finalExponentiation'), curve.call('ftm_eq')]
  const jacobian = curve.alloc(3 * PAIR_BYTES)
  const [byY, byX] = [curve.alloc(PAIR_BYTES), curve.alloc(PAIR_BYTES)]

  /** Multiplies with one line of a pair, at its point. */
  function multiply({ point, lines }: Pair, line: number, product: number): void {
    const at = lines + HEAD_BYTES + LINE_BYTES * line
    byNumber(at + PAIR_BYTES, point + ELEMENT_BYTES, byY)
    byNumber(at + 2 * PAIR_BYTES, point, byX)
    byLine(at, byY, byX, product)
  }

  return {
    elementBytes: GT_BYTES,
    linesBytes: HEAD_BYTES + LINE_BYTES * (LINES + 1),
    drawLines(point, to) {
      toJacobian(point, jacobian)
      draw(jacobian, to)
    },
    product(pairs, to) {
      setOne(to)
      let line = 0
      for (const lines of LOOP_LINES) {
        square(to, to)
        for (const end = line + lines; line < end; line++)
          for (const pair of pairs) multiply(pair, line, to)
      }
      for (; line < LINES; line++) for (const pair of pairs) multiply(pair, line, to)
      finish(to, to)
    },
    isSame: (one, other) => equal(one, other) !== 0,
  }
}
