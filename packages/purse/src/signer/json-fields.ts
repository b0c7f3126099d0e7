/** Reads the fields of a message strictly. Bytes are lower-case hexadecimal digits, amounts decimal digits; what else stands there is PURSE_SIGNER. */
import { fromHex } from '@byway/protocol/base'
import { purseError, type SignerProblem } from '../errors.ts'
import type { JsonRecord } from '../keystore-format.ts'

/** The fields of one object; every method throws PURSE_SIGNER. */
export interface Fields {
  /** One of the words. */
  word<Word extends string>(name: string, words: readonly Word[]): Word
  bytes(name: string, length: number): Uint8Array
  /** Of any length up to `most`. */
  bytesUpTo(name: string, most: number): Uint8Array
  optionalBytes(name: string, length: number): Uint8Array | undefined
  whole(name: string, most: number): number
  /** Up to 2^256. */
  amount(name: string): bigint
  text(name: string, most: number): string
  optionalText(name: string, most: number): string | undefined
  flag(name: string): boolean
  /** Whatever stands there, undefined too. */
  raw(name: string): unknown
  list<Item>(name: string, most: number, read: (value: unknown) => Item): readonly Item[]
}

/** 2^256 has 78 digits. */
const AMOUNT = /^(0|[1-9][0-9]{0,77})$/

/** Reads an object that has no other fields than those named. */
export function fieldsOf(value: unknown, names: readonly string[]): Fields {
  const record = recordOf(value)
  if (Object.keys(record).some((name) => !names.includes(name))) throw fault('field')
  return createFields(record)
}

/** An object, whatever its fields. */
export function recordOf(value: unknown): JsonRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault('field')
  return value as JsonRecord
}

/** Bytes that are written in lower case and have exactly this length. */
export function bytesOf(value: unknown, length: number): Uint8Array {
  const bytes = hexOf(value)
  if (bytes.length !== length) throw fault('field')
  return bytes
}

/** What is wrong with a message. */
export function fault(problem: SignerProblem): Error {
  return purseError('PURSE_SIGNER', { problem })
}

function createFields(record: JsonRecord): Fields {
  const text = (name: string, most: number): string => {
    const value = record[name]
    if (typeof value !== 'string' || value.length > most) throw fault('field')
    return value
  }
  return {
    word(name, words) {
      const found = words.find((word) => word === record[name])
      if (found === undefined) throw fault('field')
      return found
    },
    bytes: (name, length) => bytesOf(record[name], length),
    bytesUpTo(name, most) {
      const bytes = hexOf(record[name])
      if (bytes.length > most) throw fault('size')
      return bytes
    },
    optionalBytes: (name, length) =>
      record[name] === undefined ? undefined : bytesOf(record[name], length),
    whole(name, most) {
      const value = record[name]
      if (typeof value !== 'number' || !Number.isInteger(value)) throw fault('field')
      if (value < 0 || value > most || Object.is(value, -0)) throw fault('field')
      return value
    },
    amount(name) {
      const value = record[name]
      if (typeof value !== 'string' || !AMOUNT.test(value)) throw fault('field')
      return BigInt(value)
    },
    text,
    optionalText: (name, most) => (record[name] === undefined ? undefined : text(name, most)),
    flag(name) {
      const value = record[name]
      if (typeof value !== 'boolean') throw fault('field')
      return value
    },
    raw: (name) => record[name],
    list(name, most, read) {
      const value = record[name]
      if (!Array.isArray(value) || value.length > most) throw fault('field')
      return value.map((item: unknown) => read(item))
    },
  }
}

function hexOf(value: unknown): Uint8Array {
  const bytes = typeof value === 'string' && !/[A-F]/.test(value) ? fromHex(value) : undefined
  if (!bytes) throw fault('field')
  return bytes
}
