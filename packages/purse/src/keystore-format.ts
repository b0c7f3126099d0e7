/**
 * The text of a keystore of version 3 ("Web3 Secret Storage"), as geth and other wallets write it: JSON with a cipher, a key derivation and a MAC. Reads what
 * others write, with limits on what a file may ask for.
 * @module
 */
import { fromHex } from '@byway/protocol/base'
import { purseError } from './errors.ts'

/** How a passphrase becomes a key. */
export type KeystoreKdf =
  | {
      readonly name: 'scrypt'
      readonly n: number
      readonly r: number
      readonly p: number
      readonly dklen: number
      readonly salt: Uint8Array
    }
  | {
      readonly name: 'pbkdf2'
      readonly c: number
      readonly dklen: number
      readonly salt: Uint8Array
    }

/** A keystore that was read. */
export type Keystore = {
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
  readonly mac: Uint8Array
  readonly kdf: KeystoreKdf
  /** As the file says, without proof; undefined where the file does not. */
  readonly address: Uint8Array | undefined
}

/** JSON that is an object. */
export type JsonRecord = Readonly<Record<string, unknown>>

// Local limits (tunable): docs/LIMITS.md.
/** A keystore is half a kilobyte; ours with redeemed vouchers some more. */
export const MAX_KEYSTORE_BYTES = 262_144
/** scrypt takes 128·N·r bytes: twice what our own cost takes. */
const MAX_SCRYPT_MEMORY_BYTES = 536_870_912
/** N·r·p beyond this takes some ten seconds. */
const MAX_SCRYPT_WORK = 16_777_216
/** Some ten seconds of PBKDF2. */
const MAX_PBKDF2_ROUNDS = 10_000_000
/** A key of 32 bytes; some old files hold fewer. */
const MAX_SECRET_BYTES = 32

const IV_BYTES = 16
const MAC_BYTES = 32
/** The first half is the cipher's key, the second the MAC's. */
const LEAST_DERIVED_BYTES = 32
const MAX_DERIVED_BYTES = 128
const MAX_SALT_BYTES = 128

/**
 * Reads a keystore's JSON.
 * @throws PURSE_DAMAGED naming the field, PURSE_KEYSTORE_COST for one that asks for too much
 */
export function parseKeystore(file: JsonRecord): Keystore {
  if (file['version'] !== 3) throw damaged('version')
  const crypto = recordAt(file, file['crypto'] === undefined ? 'Crypto' : 'crypto')
  if (crypto['cipher'] !== 'aes-128-ctr') throw damaged('cipher')
  const ciphertext = bytesAt(crypto, 'ciphertext', 1, MAX_SECRET_BYTES)
  return {
    iv: bytesAt(recordAt(crypto, 'cipherparams'), 'iv', IV_BYTES, IV_BYTES),
    ciphertext,
    mac: bytesAt(crypto, 'mac', MAC_BYTES, MAC_BYTES),
    kdf: parseKdf(crypto),
    address: file['address'] === undefined ? undefined : parseFileAddress(file['address']),
  }
}

/** Parses JSON text to an object. @throws PURSE_DAMAGED */
export function parseJsonRecord(text: string): JsonRecord {
  if (text.length > MAX_KEYSTORE_BYTES) throw damaged('size')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged('json')
  }
  if (!isRecord(value)) throw damaged('json')
  return value
}

/** The object below a member. @throws PURSE_DAMAGED */
export function recordAt(record: JsonRecord, name: string): JsonRecord {
  const value = record[name]
  if (!isRecord(value)) throw damaged(name)
  return value
}

function parseKdf(crypto: JsonRecord): KeystoreKdf {
  const params = recordAt(crypto, 'kdfparams')
  const dklen = wholeAt(params, 'dklen', LEAST_DERIVED_BYTES, MAX_DERIVED_BYTES)
  const salt = bytesAt(params, 'salt', 0, MAX_SALT_BYTES)
  if (crypto['kdf'] === 'pbkdf2') {
    if (params['prf'] !== 'hmac-sha256') throw damaged('prf')
    return { name: 'pbkdf2', c: boundedAt(params, 'c', MAX_PBKDF2_ROUNDS), dklen, salt }
  }
  if (crypto['kdf'] !== 'scrypt') throw damaged('kdf')
  const n = boundedAt(params, 'n', MAX_SCRYPT_WORK)
  const r = boundedAt(params, 'r', MAX_SCRYPT_WORK)
  const p = boundedAt(params, 'p', MAX_SCRYPT_WORK)
  if (n < 2 || !Number.isInteger(Math.log2(n))) throw damaged('n')
  if (128 * n * r > MAX_SCRYPT_MEMORY_BYTES || n * r * p > MAX_SCRYPT_WORK) {
    throw purseError('PURSE_KEYSTORE_COST', { field: 'n' })
  }
  return { name: 'scrypt', n, r, p, dklen, salt }
}

/** geth writes it without `0x`, others with it. */
function parseFileAddress(value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? fromHex(value.replace(/^0x/i, '')) : undefined
  if (bytes?.length !== 20) throw damaged('address')
  return bytes
}

function bytesAt(record: JsonRecord, name: string, least: number, most: number): Uint8Array {
  const value = record[name]
  const bytes = typeof value === 'string' ? fromHex(value) : undefined
  if (!bytes || bytes.length < least || bytes.length > most) throw damaged(name)
  return bytes
}

function boundedAt(record: JsonRecord, name: string, most: number): number {
  const value = wholeAt(record, name, 1, Number.MAX_SAFE_INTEGER)
  if (value > most) throw purseError('PURSE_KEYSTORE_COST', { field: name })
  return value
}

function wholeAt(record: JsonRecord, name: string, least: number, most: number): number {
  const value = record[name]
  if (typeof value !== 'number' || !Number.isInteger(value)) throw damaged(name)
  if (value < least || value > most) throw damaged(name)
  return value
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function damaged(field: string): Error {
  return purseError('PURSE_DAMAGED', { field })
}
