/**
 * The owner keys of redeemed vouchers, as they stand in the purse file: AES-256-GCM under a key that comes from the funds key.
 *
 * ```text
 * offset size field
 *      0   12 nonce
 *     12    n JSON, enciphered: a list of texts of 64 hexadecimal digits, without white space
 *   12+n   16 tag, over the label too
 * ```
 *
 * The list is written and read byte by byte: a string of a key could not be overwritten.
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import { purseError } from './errors.ts'
import { isKey, KEY_BYTES } from './keys.ts'
import { secretBytes } from './secret-bytes.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Vouchers redeemed in one purse; each costs 134 bytes of its file. */
export const MAX_VOUCHERS = 256

/** Seals the owner keys of redeemed vouchers under the purse's `files` key. */
export function sealVouchers(keys: readonly Uint8Array[], fileKey: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', fileKey, nonce)
  cipher.setAAD(LABEL)
  const list = writeList(keys)
  const sealed = concatBytes(nonce, cipher.update(list), cipher.final(), cipher.getAuthTag())
  list.fill(0)
  return sealed
}

/** Opens what {@link sealVouchers} sealed; the keys are the caller's to overwrite. @throws PURSE_DAMAGED */
export function openVouchers(sealed: Uint8Array, fileKey: Uint8Array): readonly Uint8Array[] {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw damaged()
  const cipher = createDecipheriv('aes-256-gcm', fileKey, sealed.subarray(0, NONCE_BYTES))
  cipher.setAAD(LABEL)
  cipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  // GCM gives everything at once; the end only judges the tag.
  const list = cipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES))
  try {
    cipher.final()
    return readList(list)
  } catch {
    throw damaged()
  } finally {
    list.fill(0)
  }
}

/** How many owner keys {@link sealVouchers} has sealed: its length says it. */
export function countSealed(sealed: Uint8Array | undefined): number {
  if (!sealed) return 0
  return Math.floor((sealed.length - NONCE_BYTES - TAG_BYTES - 1) / ENTRY_LETTERS)
}

function writeList(keys: readonly Uint8Array[]): Uint8Array {
  const list = secretBytes(listLetters(keys.length))
  list[0] = LETTER.open
  for (const [index, key] of keys.entries()) {
    const at = index * ENTRY_LETTERS
    if (index > 0) list[at] = LETTER.comma
    list[at + 1] = LETTER.quote
    for (const [place, byte] of key.entries()) {
      list[at + 2 + 2 * place] = DIGITS[byte >>> 4] ?? 0
      list[at + 3 + 2 * place] = DIGITS[byte & 15] ?? 0
    }
    list[at + ENTRY_LETTERS - 1] = LETTER.quote
  }
  list[list.length - 1] = LETTER.close
  return list
}

/** @throws PURSE_DAMAGED */
function readList(list: Uint8Array): readonly Uint8Array[] {
  const count = Math.floor((list.length - 1) / ENTRY_LETTERS)
  if (count > MAX_VOUCHERS || list.length !== listLetters(count)) throw damaged()
  if (list[0] !== LETTER.open || list.at(-1) !== LETTER.close) throw damaged()
  return Array.from({ length: count }, (_, index) => {
    const at = index * ENTRY_LETTERS
    if (index > 0 && list[at] !== LETTER.comma) throw damaged()
    return readEntry(list.subarray(at + 1, at + ENTRY_LETTERS))
  })
}

/** Reads 64 digits between quotes. */
function readEntry(entry: Uint8Array): Uint8Array {
  if (entry[0] !== LETTER.quote || entry.at(-1) !== LETTER.quote) throw damaged()
  const key = secretBytes(KEY_BYTES)
  for (const place of key.keys()) {
    const high = DIGITS.indexOf(entry[1 + 2 * place] ?? 0)
    const low = DIGITS.indexOf(entry[2 + 2 * place] ?? 0)
    if (high < 0 || low < 0) throw damaged()
    key[place] = (high << 4) | low
  }
  if (!isKey(key)) throw damaged()
  return key
}

function listLetters(count: number): number {
  return count === 0 ? 2 : 1 + count * ENTRY_LETTERS
}

function damaged(): Error {
  return purseError('PURSE_DAMAGED', { field: 'vouchers' })
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** The digits of a key, two quotes, and a bracket or comma in front. */
const ENTRY_LETTERS = 2 * KEY_BYTES + 3
const LETTER = { open: 0x5b, close: 0x5d, comma: 0x2c, quote: 0x22 } as const
const DIGITS = utf8Bytes('0123456789abcdef')
const LABEL = utf8Bytes('byway vouchers v1')
