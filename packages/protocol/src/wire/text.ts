/**
 * The version byte, labels and short ASCII fields (SPEC §1, §1.1).
 * @module
 */
import { wireError } from './errors.ts'

/** SPEC §1.1. */
export const WIRE_VERSION = 1

/** SPEC §1.1: a receiver MUST refuse another version. @throws WIRE_VERSION */
export function requireVersion(version: number): void {
  if (version !== WIRE_VERSION) throw wireError('WIRE_VERSION', { version })
}

/** Encodes printable ASCII. @throws WIRE_ENCODE */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!isPrintable(code)) throw wireError('WIRE_ENCODE', { field: 'ascii' })
    bytes[i] = code
  }
  return bytes
}

/** Decodes printable ASCII of a short field. @throws WIRE_VALUE */
export function asciiText(bytes: Uint8Array): string {
  for (const byte of bytes) {
    if (!isPrintable(byte)) throw wireError('WIRE_VALUE', { field: 'ascii', value: byte })
  }
  return String.fromCharCode(...bytes)
}

function isPrintable(code: number): boolean {
  return code >= 0x20 && code < 0x7f
}
