/**
 * As much of DER (X.690) as a certificate needs. Writes only.
 * @module
 */
import { concatBytes, utf8Bytes } from '@byway/protocol/base'

/** Tags of X.690 §8 that certificates use. */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/** Writes one element around its parts. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts)
  return concatBytes(Uint8Array.of(tag), lengthOf(body.length), body)
}

/** Writes an object identifier from its dotted form. */
export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(TAG.OID, Uint8Array.of(first * 40 + second, ...rest.flatMap(base128)))
}

/** Writes a positive integer from big-endian bytes. */
export function derInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? Uint8Array.of(0) : bytes.subarray(first)
  const needsZero = (digits[0] ?? 0) >= 0x80
  return der(TAG.INTEGER, needsZero ? Uint8Array.of(0) : new Uint8Array(0), digits)
}

/** Writes whole bytes as a bit string. */
export function derBits(bytes: Uint8Array): Uint8Array {
  return der(TAG.BIT_STRING, Uint8Array.of(0), bytes)
}

/** Writes a time as RFC 5280 §4.1.2.5 wants it: two-digit years until 2049. */
export function derTime(unixS: number): Uint8Array {
  const digits = new Date(unixS * 1000).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  const year = Number(digits.slice(0, 4))
  return year < 2050
    ? der(TAG.UTC_TIME, utf8Bytes(`${digits.slice(2)}Z`))
    : der(TAG.GENERALIZED_TIME, utf8Bytes(`${digits}Z`))
}

function lengthOf(bytes: number): Uint8Array {
  if (bytes < 0x80) return Uint8Array.of(bytes)
  const digits: number[] = []
  for (let left = bytes; left > 0; left >>>= 8) digits.unshift(left & 0xff)
  return Uint8Array.of(0x80 | digits.length, ...digits)
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}
