/**
 * A proving key (key-file.ts) placed in the memory of the curve: all of it, once, or the points of a part of one sum.
 * @module
 */
import type { CurveMemory } from './curve-memory.ts'
import { ITEM_BYTES, type KeyFile, type PointsName } from './key-file.ts'

/** Points, the identity left out, and the wire that each is multiplied with. */
export type WirePoints = { readonly at: number; readonly wires: Uint32Array }

/** Where the points stand that are in every proof. */
export type KeyConstants = {
  readonly alpha1: number
  readonly beta1: number
  readonly beta2: number
  readonly delta1: number
  readonly delta2: number
}

/** A key's sizes, and where its parts stand. */
export type ProvingKey = Pick<KeyFile, 'wires' | 'publicSignals' | 'rows'> & {
  readonly constants: KeyConstants
  /** Of the constraints: each a matrix, a row, a wire and a number. */
  readonly terms: { readonly at: number; readonly count: number }
  readonly a: WirePoints
  readonly b2: WirePoints
  /** The points whose sum is the proof's third: for wires, for rows, and for wires of B. They stand one after another. */
  readonly c: WirePoints
  readonly h: WirePoints
  readonly b1: WirePoints
}

const G1_BYTES = 64
const G2_BYTES = 128

/** Places a key. */
export function placeProvingKey(curve: CurveMemory, file: KeyFile): ProvingKey {
  const { wires, publicSignals, rows } = file
  const termCount = file.count('terms')
  const points = (name: PointsName): WirePoints => {
    const bytes = file.read(name, 0, file.count(name))
    const kept = keptPoints(bytes, ITEM_BYTES[name])
    const at = curve.alloc(kept.length * ITEM_BYTES[name])
    writePoints(curve, bytes, ITEM_BYTES[name], kept, at)
    const first = firstWire(file, name)
    return { at, wires: kept.map((i) => i + first) }
  }
  return {
    wires,
    publicSignals,
    rows,
    constants: placeConstants(curve, file),
    terms: { at: place(curve, file.read('terms', 0, termCount)), count: termCount },
    a: points('a'),
    b2: points('b2'),
    c: points('c'),
    h: points('h'),
    b1: points('b1'),
  }
}

/** Places what is in every proof. */
export function placeConstants(curve: CurveMemory, { constants }: KeyFile): KeyConstants {
  const at = place(curve, constants)
  return {
    alpha1: at,
    beta1: at + G1_BYTES,
    beta2: at + 2 * G1_BYTES,
    delta1: at + 2 * G1_BYTES + 2 * G2_BYTES,
    delta2: at + 3 * G1_BYTES + 2 * G2_BYTES,
  }
}

/** The wire, or the row, that the first point of a section is multiplied with. Public wires of C are the verifier's to add. */
export function firstWire({ publicSignals }: KeyFile, name: PointsName): number {
  return name === 'c' ? publicSignals + 1 : 0
}

/** Which of some points are not the identity, whose bytes are all zero. */
export function keptPoints(points: Uint8Array, size: number): Uint32Array {
  const kept = new Uint32Array(points.length / size)
  let count = 0
  for (let i = 0; i < kept.length; i++) {
    let at = i * size
    while (at < (i + 1) * size && points[at] === 0) at++
    if (at < (i + 1) * size) kept[count++] = i
  }
  return kept.slice(0, count)
}

/** Writes the points that are kept to an address. */
export function writePoints(
  curve: CurveMemory,
  points: Uint8Array,
  size: number,
  kept: Uint32Array,
  to: number,
): void {
  copyItems(points, { size, places: kept }, new Uint8Array(curve.view.buffer), to)
}

/** Copies items of so many bytes, by their places, one after another: what stands together goes together. */
export function copyItems(
  from: Uint8Array,
  { size, places }: { readonly size: number; readonly places: Uint32Array },
  to: Uint8Array,
  at: number,
): void {
  for (let first = 0, next = 0; first < places.length; first = next) {
    const start = places[first] ?? 0
    do next++
    while (places[next] === start + next - first)
    to.set(from.subarray(start * size, (start + next - first) * size), at + first * size)
  }
}

function place(curve: CurveMemory, bytes: Uint8Array): number {
  const at = curve.alloc(bytes.length)
  new Uint8Array(curve.view.buffer).set(bytes, at)
  return at
}
