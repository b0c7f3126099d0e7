/**
 * Host names on the wire: 1–253 bytes of lower-case ASCII, or an address literal (SPEC §7.1).
 * Checks the alphabet only; whether a name may be asked for is the policy folder's.
 * @module
 */
import { wireError } from './errors.ts'

/** SPEC §7.1: the longest host, also the longest name DNS has. */
export const MAX_HOST_BYTES = 253

/** Reads a host. @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeHost(bytes: Uint8Array): string {
  if (bytes.length === 0 || bytes.length > MAX_HOST_BYTES) {
    throw wireError('WIRE_LENGTH', { field: 'host', want: MAX_HOST_BYTES, have: bytes.length })
  }
  for (const byte of bytes) {
    // The offending byte is content of the user's; the error does not hold it.
    if (!isHostByte(byte)) throw wireError('WIRE_VALUE', { field: 'host', value: 0 })
  }
  return String.fromCharCode(...bytes)
}

/** Writes a host that is in lower case already. @throws WIRE_ENCODE */
export function encodeHost(host: string): Uint8Array {
  if (host.length === 0 || host.length > MAX_HOST_BYTES) {
    throw wireError('WIRE_ENCODE', { field: 'host' })
  }
  const bytes = new Uint8Array(host.length)
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i)
    if (!isHostByte(code)) throw wireError('WIRE_ENCODE', { field: 'host' })
    bytes[i] = code
  }
  return bytes
}

/** Printable ASCII without the space and without upper case. */
function isHostByte(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && (byte < 0x41 || byte > 0x5a)
}
