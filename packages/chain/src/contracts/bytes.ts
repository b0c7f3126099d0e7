/** Between our bytes and the numbers and texts of viem. */
import type { Hex } from '@byway/protocol/payment'
import { fromHex, toHex } from '@byway/protocol/base'

export function hexOf(bytes: Uint8Array): Hex {
  return `0x${toHex(bytes)}`
}

/** Bytes of hexadecimal text that was checked before. */
export function bytesOf(hex: string): Uint8Array {
  return fromHex(hex.slice(2)) ?? new Uint8Array(0)
}

/** The number that big-endian bytes are. */
export function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(hexOf(bytes))
}

/** A number as 32 big-endian bytes. */
export function wordOf(value: bigint): Uint8Array {
  return bytesOf(`0x${value.toString(16).padStart(64, '0')}`)
}
