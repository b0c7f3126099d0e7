/**
 * Big-endian unsigned integers in place on a Uint8Array (SPEC §1).
 * Plain index arithmetic: a DataView per cell costs more than the arithmetic on the hot path.
 * These do not check bounds: a caller has compared the length before.
 * @module
 */
import { wireError } from './errors.ts'

/** Reads the u16 at `at`. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

/** Reads the u32 at `at`. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  )
}

/**
 * Reads the u64 at `at` as a number.
 *
 * @throws WIRE_VALUE above 2^53 − 1: no counter or time of the protocol gets there, and a number is exact below.
 */
export function readU64(bytes: Uint8Array, at: number, field: string): number {
  const high = readU32(bytes, at)
  if (high > MAX_HIGH) throw wireError('WIRE_VALUE', { field, value: high })
  return high * TWO_32 + readU32(bytes, at + 4)
}

/** Writes the low 16 bits of `value` at `at`. */
export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** Writes the low 32 bits of `value` at `at`. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Writes `value`, a safe integer that is not negative, as a u64 at `at`. */
export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, Math.floor(value / TWO_32))
  writeU32(bytes, at + 4, value % TWO_32)
}

const TWO_32 = 0x1_0000_0000
/** The upper half of Number.MAX_SAFE_INTEGER: a u64 above it is refused. */
const MAX_HIGH = 0x1f_ffff
