/** Points of both groups of BN254 as plain coordinates, real part first, by the library's functions one at a time. */
import { buildBn128 } from 'ffjavascript'
import { type CurveMemory, ELEMENT_BYTES, openCurve, writeNumber } from '../src/curve-memory.ts'
import type { GroupName } from '../src/group.ts'
import { writeCoordinates } from '../src/proof-points.ts'

export type Coordinates = readonly bigint[]

export type Points = {
  /** Multiples of the generators; none of them is the identity. */
  g1(k: bigint): Coordinates
  g2(k: bigint): Coordinates
  /** Undefined is the identity. */
  timesG2(point: Coordinates, k: bigint): Coordinates | undefined
  addG2(one: Coordinates, other: Coordinates): Coordinates
  /** A point of the second group's curve that is of no particular order. */
  onSecondCurve(): Coordinates
}

const SCALAR_BYTES = 96
const ROOM_BYTES = 64 * 1024
const COORDINATES = { g1m: 2, g2m: 4 } as const

export async function openPoints(): Promise<Points> {
  const curve = openCurve('slot', ROOM_BYTES)
  const { G1, G2 } = await buildBn128(true)
  const generators = { g1m: place(curve, G1.gAffine), g2m: place(curve, G2.gAffine) }
  const [scalar, sum] = [curve.alloc(SCALAR_BYTES), curve.alloc(6 * ELEMENT_BYTES)]
  const [one, other] = [curve.alloc(4 * ELEMENT_BYTES), curve.alloc(4 * ELEMENT_BYTES)]

  /** The Jacobian point at `sum`. */
  const show = (group: GroupName): Coordinates | undefined => {
    if (curve.call(`${group}_isZero`)(sum)) return undefined
    curve.call(`${group}_toAffine`)(sum, one)
    return Array.from({ length: COORDINATES[group] }, (_, i) =>
      readCoordinate(curve, one + i * ELEMENT_BYTES),
    )
  }
  const times = (group: GroupName, point: number, k: bigint): Coordinates | undefined => {
    new Uint8Array(curve.view.buffer).fill(0, scalar, scalar + SCALAR_BYTES)
    for (let at = 0; at < SCALAR_BYTES; at += ELEMENT_BYTES)
      writeNumber(curve.view, scalar + at, k >> BigInt(8 * at))
    curve.call(`${group}_timesScalarAffine`)(point, scalar, SCALAR_BYTES, sum)
    return show(group)
  }
  const known = (point: Coordinates | undefined): Coordinates => {
    if (!point) throw new Error('the identity')
    return point
  }
  return {
    g1: (k) => known(times('g1m', generators.g1m, k)),
    g2: (k) => known(times('g2m', generators.g2m, k)),
    timesG2(point, k) {
      writeCoordinates(curve, other, point)
      return times('g2m', other, k)
    },
    addG2(a, b) {
      writeCoordinates(curve, one, a)
      writeCoordinates(curve, other, b)
      curve.call('g2m_toJacobian')(one, sum)
      curve.call('g2m_addMixed')(sum, other, sum)
      return known(show('g2m'))
    },
    onSecondCurve: () => pointOfSecondCurve(curve, generators.g2m),
  }
}

/** With the least x that has one. The curve's constant is what the generator says. */
function pointOfSecondCurve(curve: CurveMemory, generator: number): Coordinates {
  const size = 2 * ELEMENT_BYTES
  const [constant, x, y] = [curve.alloc(size), curve.alloc(size), curve.alloc(size)]
  const call = (name: string, ...at: number[]): number => curve.call(`f2m_${name}`)(...at)
  const cube = (from: number, to: number): void => {
    call('square', from, to)
    call('mul', to, from, to)
  }
  cube(generator, x)
  call('square', generator + size, constant)
  call('sub', constant, x, constant)
  for (let real = 1n; ; real++) {
    writeCoordinates(curve, x, [real, 1n])
    cube(x, y)
    call('add', y, constant, y)
    if (!call('isSquare', y)) continue
    call('sqrt', y, y)
    return [x, x + ELEMENT_BYTES, y, y + ELEMENT_BYTES].map((at) => readCoordinate(curve, at))
  }
}

function place(curve: CurveMemory, bytes: Uint8Array): number {
  const at = curve.alloc(bytes.length)
  new Uint8Array(curve.view.buffer).set(bytes, at)
  return at
}

function readCoordinate(curve: CurveMemory, at: number): bigint {
  const plain = curve.alloc(ELEMENT_BYTES)
  curve.call('f1m_fromMontgomery')(at, plain)
  const bytes = Buffer.from(curve.view.buffer, plain, ELEMENT_BYTES)
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)
}
