/**
 * A voucher: the owner key of one small deposit as a line of text, with the network it belongs to and a checksum.
 *
 * ```text
 * byway-voucher-1-DIGITS      DIGITS = base32 (RFC 4648, small letters, no padding) of
 *
 * offset size field
 *      0    4 network: the first bytes of H("byway voucher network v1" ‖ u256 chainId ‖ pool[20])
 *      4   32 the owner's key
 *     36    4 checksum: the first bytes of H("byway voucher v1" ‖ bytes 0..36)
 * ```
 * @module
 */
import { createHash } from 'node:crypto'
import { concatBytes, equalBytes } from '@byway/protocol/base'
import { purseError } from './errors.ts'
import { isKey, KEY_BYTES } from './keys.ts'
import { secretCopy } from './secret-bytes.ts'

/** Where a voucher is worth something. */
export type VoucherNetwork = { readonly chainId: number; readonly pool: Uint8Array }

const PREFIX = 'byway-voucher-1-'
const NETWORK_BYTES = 4
const CHECKSUM_BYTES = 4
const TOTAL_BYTES = NETWORK_BYTES + KEY_BYTES + CHECKSUM_BYTES
/** 40 bytes are 64 digits of 5 bits. */
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567'

/** Writes a voucher. Whoever reads it can spend the deposit. */
export function formatVoucher(key: Uint8Array, network: VoucherNetwork): string {
  const body = concatBytes(networkMark(network), key)
  return PREFIX + toBase32(concatBytes(body, checksumOf(body)))
}

/**
 * Reads a voucher as it was copied: white space and capital letters are passed over. The key is the caller's to overwrite.
 * @throws PURSE_VOUCHER
 */
export function parseVoucher(text: string, network: VoucherNetwork): Uint8Array {
  const plain = text.replace(/\s+/g, '').toLowerCase()
  const bytes = plain.startsWith(PREFIX) ? fromBase32(plain.slice(PREFIX.length)) : undefined
  if (bytes?.length !== TOTAL_BYTES) throw purseError('PURSE_VOUCHER', { problem: 'format' })
  const body = bytes.subarray(0, NETWORK_BYTES + KEY_BYTES)
  if (!equalBytes(bytes.subarray(-CHECKSUM_BYTES), checksumOf(body))) {
    throw purseError('PURSE_VOUCHER', { problem: 'checksum' })
  }
  if (!equalBytes(body.subarray(0, NETWORK_BYTES), networkMark(network))) {
    throw purseError('PURSE_VOUCHER', { problem: 'network' })
  }
  const key = secretCopy(body.subarray(NETWORK_BYTES))
  bytes.fill(0)
  if (!isKey(key)) throw purseError('PURSE_VOUCHER', { problem: 'format' })
  return key
}

function networkMark({ chainId, pool }: VoucherNetwork): Uint8Array {
  const chain = Buffer.from(chainId.toString(16).padStart(64, '0'), 'hex')
  return hash('byway voucher network v1', chain, pool).subarray(0, NETWORK_BYTES)
}

function checksumOf(body: Uint8Array): Uint8Array {
  return hash('byway voucher v1', body).subarray(0, CHECKSUM_BYTES)
}

function hash(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const digest = createHash('sha256').update(label)
  for (const part of parts) digest.update(part)
  return new Uint8Array(digest.digest())
}

function toBase32(bytes: Uint8Array): string {
  let [text, held, bits] = ['', 0, 0]
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += DIGITS.charAt((held >>> (bits - 5)) & 31)
  }
  return text
}

/** Of a length that fills whole bytes; undefined for another digit. */
function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let [at, held, bits] = [0, 0, 0]
  for (const digit of text) {
    const value = DIGITS.indexOf(digit)
    if (value < 0) return undefined
    held = ((held << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >>> bits
  }
  return bits === 0 ? bytes : undefined
}
