/**
 * Numbers of the chain: u256 as bytes and back, and the field in which slots are hashed (SPEC §13.2).
 * @module
 */
import { assert, fromHex, toHex } from '@byway/protocol/base'
import { FIELD_ORDER } from '@byway/protocol/crypto'

/** Reads big-endian bytes as a number. */
export function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}

/** Writes a number as so many big-endian bytes. @throws ASSERTION when it does not fit */
export function bytesOf(value: bigint, count: number): Uint8Array {
  const bytes = value < 0n ? undefined : fromHex(value.toString(16).padStart(2 * count, '0'))
  assert(bytes?.length === count, `the number fits into ${count} bytes`)
  return bytes
}

/** Writes a u256. */
export function u256Bytes(value: bigint): Uint8Array {
  return bytesOf(value, 32)
}

/** Reads a field element of a peer; undefined for a number that is another one's alias. */
export function elementOf(bytes: Uint8Array): bigint | undefined {
  const value = numberOf(bytes)
  return value < FIELD_ORDER ? value : undefined
}

/** SPEC §13: `u256(hash) >> 8`, which is below the field's order. */
export function hashToElement(hash: Uint8Array): bigint {
  return numberOf(hash) >> 8n
}
