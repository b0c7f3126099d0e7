/**
 * Helpers for Uint8Array that ECMAScript does not have and that Node's Buffer would give: joining, comparing, text forms.
 * Integers of the wire format live in `wire`; nothing here knows a byte offset.
 * @module
 */

/** Joins arrays into one new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let total = 0
  for (const part of parts) total += part.length
  const joined = new Uint8Array(total)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/**
 * Compares without stopping at the first difference. For public values (ids, hashes): a compiler may still give time
 * away, so that secrets go through `CryptoProvider.timingSafeEqual`.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/**
 * Gives the memory beneath a view back to the allocator now instead of at the next collection; whoever looks at it later finds nothing.
 * Left to the collector, every 16 KiB cell touches cold memory, 10–20 % of a relay's time (ADR-0003; plain version: nothing).
 * For memory with one owner: a view of less than half of its buffer is not taken for one, a pooled buffer may have others.
 */
export function freeMemory(view: Uint8Array): void {
  const { buffer } = view
  if (buffer instanceof ArrayBuffer && view.byteLength * 2 > buffer.byteLength) buffer.transfer(0)
}

/** True when every byte is zero. */
export function isAllZero(bytes: Uint8Array): boolean {
  let any = 0
  for (const byte of bytes) any |= byte
  return any === 0
}

/** Encodes text as UTF-8. */
export function utf8Bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Decodes UTF-8, or returns undefined when the bytes are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Writes bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** Reads hexadecimal digits of either case, or returns undefined for any other text. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  }
  return bytes
}

/** Writes bytes as base64url without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += DIGITS.charAt((held >>> bits) & 63)
    }
  }
  return bits === 0 ? text : text + DIGITS.charAt((held << (6 - bits)) & 63)
}

/** Reads unpadded base64url, or returns undefined: other digits, impossible lengths, and unused bits that are not zero. */
export function fromBase64url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8))
  let at = 0
  let bits = 0
  let held = 0
  for (const digit of text) {
    const value = DIGITS.indexOf(digit)
    if (value < 0) return undefined
    held = ((held << 6) | value) & 0x3fff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at] = held >>> bits
    at++
  }
  const spare = held & ((1 << bits) - 1)
  return bits >= 6 || spare !== 0 ? undefined : bytes
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** What every run-time has and ECMAScript does not declare; the one place that says so. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array }
declare const TextDecoder: new (
  label: 'utf-8',
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string }
