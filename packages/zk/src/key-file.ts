/**
 * A Groth16 proving key of BN254 as the ceremony's tools write it (zkey, version 1), read by pieces: the audit's has 172 MB, of which no thread wants to hold more than its share.
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { ELEMENT_BYTES } from './curve-memory.ts'

/** Points of a key, named by the sum that they belong to. */
export type PointsName = 'a' | 'b1' | 'b2' | 'c' | 'h'
/** A part of a key: points, or the terms of its constraints. */
export type SectionName = PointsName | 'terms'

/** A key's sizes, and its parts. */
export interface KeyFile {
  readonly wires: number
  readonly publicSignals: number
  /** Rows of the constraints, a power of two. */
  readonly rows: number
  /** alpha1, beta1, beta2, gamma2, delta1, delta2, one after another. */
  readonly constants: Uint8Array
  /** How many points or terms a section has. */
  count(section: SectionName): number
  /** Those from one up to another, as they stand in the file. */
  read(section: SectionName, from: number, to: number): Uint8Array
}

/** Some bytes of a key's file. */
export type ReadBytes = (at: number, bytes: number) => Uint8Array

/** Of a point or a term: a matrix, a row, a wire and a number. */
export const ITEM_BYTES: Readonly<Record<SectionName, number>> = {
  a: 64,
  b1: 64,
  b2: 128,
  c: 64,
  h: 64,
  terms: 3 * 4 + ELEMENT_BYTES,
}

/** Ids of sections, and what stands before their items. */
const SECTIONS = {
  terms: { id: 4, skip: 4 },
  a: { id: 5, skip: 0 },
  b1: { id: 6, skip: 0 },
  b2: { id: 7, skip: 0 },
  c: { id: 8, skip: 0 },
  h: { id: 9, skip: 0 },
} as const
const HEADER_ID = 2
/** The orders of both fields with their sizes, then three counts. */
const [ORDERS_BYTES, COUNTS_BYTES] = [2 * (4 + ELEMENT_BYTES), 3 * 4]
/** Magic and version, before the count of sections; a section's id and length. */
const [COUNT_AT, SECTION_HEADER_BYTES] = [8, 12]

/** Opens a key. What is in it is as its maker says: check the file's hash before. */
export function openKeyFile(read: ReadBytes): KeyFile {
  const places = placesOf(read)
  const placeOf = (id: number): Place => places.get(id) ?? { at: 0, bytes: 0 }
  const { at, bytes } = placeOf(HEADER_ID)
  const header = read(at, bytes).subarray(ORDERS_BYTES)
  const count = (i: number): number => viewOf(header).getUint32(4 * i, true)
  return {
    wires: count(0),
    publicSignals: count(1),
    rows: count(2),
    constants: header.subarray(COUNTS_BYTES),
    count(section) {
      const { id, skip } = SECTIONS[section]
      return Math.max(0, placeOf(id).bytes - skip) / ITEM_BYTES[section]
    },
    read(section, from, to) {
      const { id, skip } = SECTIONS[section]
      const size = ITEM_BYTES[section]
      return read(placeOf(id).at + skip + from * size, (to - from) * size)
    },
  }
}

/** Of a file in memory. */
export function bytesOf(file: Uint8Array): ReadBytes {
  return (at, bytes) => file.subarray(at, at + bytes)
}

/** Of a file that stays open until it is disposed. @throws Error of the system, or when there is less in it */
export function openBytes(path: string): Disposable & { readonly read: ReadBytes } {
  const file = openSync(path, 'r')
  const size = fstatSync(file).size
  return {
    read(at, bytes) {
      if (at + bytes > size) throw new RangeError('a key ends early')
      const read = new Uint8Array(bytes)
      for (let done = 0; done < bytes;) {
        const more = readSync(file, read, done, bytes - done, at + done)
        if (more === 0) throw new RangeError('a key ends early')
        done += more
      }
      return read
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}

type Place = { readonly at: number; readonly bytes: number }

/** By id. */
function placesOf(read: ReadBytes): ReadonlyMap<number, Place> {
  const places = new Map<number, Place>()
  const count = viewOf(read(COUNT_AT, 4)).getUint32(0, true)
  let at = COUNT_AT + 4
  for (let i = 0; i < count; i++) {
    const header = viewOf(read(at, SECTION_HEADER_BYTES))
    const place = {
      at: at + SECTION_HEADER_BYTES,
      bytes: Number(header.getBigUint64(4, true)),
    }
    places.set(header.getUint32(0, true), place)
    at = place.at + place.bytes
  }
  return places
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
