/**
 * The header of a SOCKS5 datagram (RFC 1928 §7).
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 2 | reserved, 0 |
 * | 2 | 1 | fragment number; only 0 is taken |
 * | 3 | … | address type, address, port (RFC 1928 §5) |
 * | … | … | payload |
 * @module
 */
import type { Datagram, Target } from './dialer.ts'
import { encodeAddress, parseAddress } from './socks5-codec.ts'
import type { Socks5Address } from './socks5-codec.ts'

/** A datagram of an app, before its destination is judged. */
export type AppDatagram = { readonly address: Socks5Address; readonly payload: Uint8Array }

/** Reads an app's datagram; undefined for fragments and anything malformed, which are dropped. */
export function decodeDatagram(bytes: Uint8Array): AppDatagram | undefined {
  if (bytes.length < 3 || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0) return undefined
  const address = parseAddress(bytes.subarray(3))
  if (address.type !== 'done') return undefined
  return { address: address.value, payload: bytes.subarray(3 + address.usedBytes) }
}

/** Writes a datagram for the app. */
export function encodeDatagram({ peer, payload }: Datagram): Uint8Array {
  return Buffer.concat([Uint8Array.of(0, 0, 0), encodeAddress(peer satisfies Target), payload])
}
