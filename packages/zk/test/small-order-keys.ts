/** Keys under which everybody signs: the points of BabyJubJub whose order divides 8. */
import { createRequire } from 'node:module'
import type * as BabyJubJub from '@zk-kit/baby-jubjub'
import type { JubPoint, Receipt, ReceiptBody } from '@byway/zk'

const { addPoint, Base8, inCurve, mulPointEscalar, subOrder } = createRequire(import.meta.url)(
  '@zk-kit/baby-jubjub',
) as typeof BabyJubJub

type Point = [bigint, bigint]

const NEUTRAL: Point = [0n, 1n]

/** All eight, the neutral one first: multiples of one of order 8. */
export function smallOrderKeys(): readonly JubPoint[] {
  const generator = ofOrderEight()
  const keys: Point[] = [NEUTRAL]
  for (let i = 1; i < 8; i++) keys.push(addPoint(keys.at(-1) ?? NEUTRAL, generator))
  return keys
}

/** A receipt that nobody's secret signed: `R8 = S · B` holds for every message under such a key. */
export function forgedReceipt(body: ReceiptBody, publicKey: JubPoint): Receipt {
  const s = 5n
  const [x, y] = mulPointEscalar(Base8, s)
  return { ...body, publicKey, signature: { r8: [x, y], s } }
}

/** What is left of a point of the whole curve once its part in the large subgroup is gone. */
function ofOrderEight(): Point {
  for (let y = 2n; ; y++) {
    const point = pointAt(y)
    if (!point) continue
    const small = mulPointEscalar(point, subOrder) as Point
    const fourth = addPoint(addPoint(small, small), addPoint(small, small))
    if (fourth[0] !== NEUTRAL[0] || fourth[1] !== NEUTRAL[1]) return small
  }
}

const FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

/** The point with this y, of 168700 x² + y² = 1 + 168696 x² y². */
function pointAt(y: bigint): Point | undefined {
  const yy = (y * y) % FIELD
  const xx = ((yy - 1n + FIELD) * power(mod(168_696n * yy - 168_700n), FIELD - 2n)) % FIELD
  const x = squareRoot(xx)
  const point: Point | undefined = x === undefined ? undefined : [x, y]
  return point && inCurve(point) ? point : undefined
}

function mod(value: bigint): bigint {
  return ((value % FIELD) + FIELD) % FIELD
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % FIELD
    b = (b * b) % FIELD
  }
  return result
}

/** By Tonelli and Shanks; 5 is no square of this field. */
function squareRoot(value: bigint): bigint | undefined {
  if (value === 0n) return 0n
  if (power(value, (FIELD - 1n) / 2n) !== 1n) return undefined
  let [odd, twos] = [FIELD - 1n, 0n]
  for (; (odd & 1n) === 0n; odd >>= 1n) twos++
  let [c, t, root] = [power(5n, odd), power(value, odd), power(value, (odd + 1n) / 2n)]
  while (t !== 1n) {
    let i = 0n
    for (let square = t; square !== 1n; i++) square = (square * square) % FIELD
    const b = power(c, 1n << (twos - i - 1n))
    ;[twos, c, t, root] = [i, (b * b) % FIELD, mod(t * b * b), (root * b) % FIELD]
  }
  return root
}
