/**
 * Values with bytes and bigints as JSON text. A record in this form was made by us and its row has a MAC, so it is read back without checks of its shape.
 */
import { assert, fromHex, toHex } from '@byway/protocol/base'

/** Writes plain values: numbers, texts, truths, bigints, bytes, lists and objects of them. Fields that are undefined are left out. */
export function writeText(value: unknown): string {
  return JSON.stringify(plain(value))
}

/** Reads what {@link writeText} wrote. */
export function readText(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) => {
    if (!isObject(value)) return value
    if (typeof value['$big'] === 'string') return BigInt(value['$big'])
    if (typeof value['$hex'] !== 'string') return value
    const bytes = fromHex(value['$hex'])
    assert(bytes, 'stored bytes are hexadecimal')
    return bytes
  })
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { $big: value.toString() }
  if (value instanceof Uint8Array) return { $hex: toHex(value) }
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
