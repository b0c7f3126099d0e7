/**
 * Cells: sizes, commands and the 9-byte header (SPEC §4.1, §4.2).
 * Works in place on a cell's bytes and allocates nothing but the view of `bodyOf`: every byte a relay carries
 * passes here. What a body means is in the other files of this folder; sealing is the crypto folder's.
 *
 * ```text
 * offset size field
 *      0    4 circuit id; 0 is the link itself
 *      4    1 kind: bits 7–6 size class, bits 5–0 command
 *      5    4 readBytes, modulo 2^32
 *      9      body
 * ```
 * @module
 */
import { readU32, writeU32 } from './integers.ts'

/** SPEC §4.1. */
export const CELL_HEADER_BYTES = 9

/** SPEC §4.1, "size class". */
export const SIZE_CLASS = { SMALL: 0, MEDIUM: 1, LARGE: 2, REPORT: 3 } as const
export type SizeClass = (typeof SIZE_CLASS)[keyof typeof SIZE_CLASS]

/** SPEC §4.2. */
export const COMMAND = { LINK: 0, CREATE: 1, CREATED: 2, DATA: 3, DESTROY: 4, LOCAL: 5 } as const
export type Command = (typeof COMMAND)[keyof typeof COMMAND]

/** Bytes of the largest cell: what a receive buffer must hold. */
export const MAX_CELL_BYTES = 16_384

/** The circuit id of the link itself (SPEC §4.1). */
export const LINK_CIRCUIT_ID = 0

/** Returns the bytes of a whole cell of this class. */
export function cellBytesOfClass(sizeClass: SizeClass): number {
  return CELL_BYTES[sizeClass]
}

/** Returns the bytes of the body of a cell of this class. */
export function bodyBytesOfClass(sizeClass: SizeClass): number {
  return CELL_BYTES[sizeClass] - CELL_HEADER_BYTES
}

/** Returns the bytes of a whole cell whose kind byte this is. Every kind byte has a class. */
export function cellBytesOf(kind: number): number {
  return CELL_BYTES[sizeClassOf(kind)]
}

/** Returns the size class in a kind byte. */
export function sizeClassOf(kind: number): SizeClass {
  return ((kind >>> 6) & 3) as SizeClass
}

/** Returns the command bits of a kind byte: a {@link Command} only if {@link isAllowed} says so. */
export function commandOf(kind: number): number {
  return kind & COMMAND_MASK
}

/** True if this is a known command in a class that it may have (SPEC §4.1, §4.2); false closes the link. */
export function isAllowed(command: number, sizeClass: number): boolean {
  return (((CLASSES_OF_COMMAND[command] ?? 0) >>> sizeClass) & 1) === 1
}

/** {@link isAllowed} for a kind byte. */
export function isAllowedKind(kind: number): boolean {
  return isAllowed(kind & COMMAND_MASK, kind >>> 6)
}

/** Reads the circuit id of the cell that begins at `at`. */
export function readCircuitId(cell: Uint8Array, at = 0): number {
  return readU32(cell, at)
}

/** Reads the kind byte of the cell that begins at `at`. */
export function readKind(cell: Uint8Array, at = 0): number {
  return cell[at + KIND_OFFSET]!
}

/** Reads how many bytes of cells the sender had read, modulo 2^32 (SPEC §8.4). */
export function readReadBytes(cell: Uint8Array, at = 0): number {
  return readU32(cell, at + READ_BYTES_OFFSET)
}

/** True for an id that the dialling side of the link chose: its top bit is 1 (SPEC §4.1). */
export function isDiallerCircuitId(circuitId: number): boolean {
  return circuitId > 0x7fff_ffff
}

/** Writes the kind byte of a new cell; the cell's length must be that of the class. */
export function stampKind(cell: Uint8Array, command: Command, sizeClass: SizeClass): void {
  cell[KIND_OFFSET] = (sizeClass << 6) | command
}

/** Writes circuit id and readBytes and leaves the kind: what forwarding a cell changes in its header. */
export function stampHeader(cell: Uint8Array, circuitId: number, readBytes: number): void {
  writeU32(cell, 0, circuitId)
  writeU32(cell, READ_BYTES_OFFSET, readBytes)
}

/** Returns a view of the body. */
export function bodyOf(cell: Uint8Array): Uint8Array {
  return cell.subarray(CELL_HEADER_BYTES)
}

const KIND_OFFSET = 4
const READ_BYTES_OFFSET = 5
const COMMAND_MASK = 0x3f
const CELL_BYTES = [1024, 4096, MAX_CELL_BYTES, 64] as const

/**
 * Bit c of entry k: command k may travel in class c. The tables of SPEC §4.1 and §4.2 together: DESTROY is class 0
 * only, as §4.2 says.
 */
const CLASSES_OF_COMMAND: readonly number[] = [0b1111, 0b0010, 0b0010, 0b0111, 0b0001, 0b0111]
