/**
 * A Groth16 proving key of BN254 as the ceremony's tools write it (zkey, version 1), placed in the memory of the curve once.
 * @module
 */
import { type CurveMemory, ELEMENT_BYTES } from './curve-memory.ts'

/** Points, the identity left out, and the wire that each is multiplied with. */
export type WirePoints = { readonly at: number; readonly wires: Uint32Array }

/** A key's sizes, and where its parts stand. */
export type ProvingKey = {
  readonly wires: number
  readonly publicSignals: number
  /** Rows of the constraints, a power of two. */
  readonly rows: number
  readonly alpha1: number
  readonly beta1: number
  readonly beta2: number
  readonly delta1: number
  readonly delta2: number
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
const TERM_BYTES = 3 * 4 + ELEMENT_BYTES
/** Ids of sections. */
const SECTION = { header: 2, terms: 4, a: 5, b1: 6, b2: 7, c: 8, h: 9 } as const
/** Magic, version and count of sections; a section's id and length. */
const [FILE_HEADER_BYTES, SECTION_HEADER_BYTES] = [12, 12]

/** Places a key. What is in it is as its maker says: check the file's hash before. */
export function placeProvingKey(curve: CurveMemory, file: Uint8Array): ProvingKey {
  const sections = sectionsOf(file)
  const section = (name: keyof typeof SECTION): Uint8Array =>
    sections.get(SECTION[name]) ?? new Uint8Array()
  // The orders of both fields with their sizes, three counts, then points.
  const header = section('header').subarray(2 * (4 + ELEMENT_BYTES))
  const count = (i: number): number => viewOf(header).getUint32(4 * i, true)
  const [wires, publicSignals, rows] = [count(0), count(1), count(2)]
  const constants = place(curve, header.subarray(3 * 4))
  const terms = section('terms').subarray(4)
  const points = (name: 'a' | 'b1' | 'b2' | 'c' | 'h', bytes: number, first = 0): WirePoints =>
    placePoints(curve, section(name), bytes, first)
  return {
    wires,
    publicSignals,
    rows,
    alpha1: constants,
    beta1: constants + G1_BYTES,
    beta2: constants + 2 * G1_BYTES,
    delta1: constants + 2 * G1_BYTES + 2 * G2_BYTES,
    delta2: constants + 3 * G1_BYTES + 2 * G2_BYTES,
    terms: { at: place(curve, terms), count: terms.length / TERM_BYTES },
    a: points('a', G1_BYTES),
    b2: points('b2', G2_BYTES),
    // Public wires are the verifier's to add.
    c: points('c', G1_BYTES, publicSignals + 1),
    h: points('h', G1_BYTES),
    b1: points('b1', G1_BYTES),
  }
}

/** By id. */
function sectionsOf(file: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(file)
  const sections = new Map<number, Uint8Array>()
  let at = FILE_HEADER_BYTES
  while (at < file.length) {
    const bytes = Number(view.getBigUint64(at + 4, true))
    const from = at + SECTION_HEADER_BYTES
    sections.set(view.getUint32(at, true), file.subarray(from, from + bytes))
    at = from + bytes
  }
  return sections
}

function placePoints(
  curve: CurveMemory,
  section: Uint8Array,
  bytes: number,
  first: number,
): WirePoints {
  const all = Array.from({ length: section.length / bytes }, (_, i) =>
    section.subarray(i * bytes, (i + 1) * bytes),
  )
  const kept = [...all.keys()].filter((i) => all[i]?.some((byte) => byte !== 0))
  const at = curve.alloc(kept.length * bytes)
  const memory = new Uint8Array(curve.view.buffer)
  for (const [i, from] of kept.entries()) memory.set(all[from] ?? [], at + i * bytes)
  return { at, wires: Uint32Array.from(kept, (i) => i + first) }
}

function place(curve: CurveMemory, bytes: Uint8Array): number {
  const at = curve.alloc(bytes.length)
  new Uint8Array(curve.view.buffer).set(bytes, at)
  return at
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
