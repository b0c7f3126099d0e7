/**
 * Authenticates rows (SECURITY R26): a bit that flips on the disk, or a row that somebody edits or moves to another table, is found when the store is opened. What a
 * MAC of a row cannot see, that the row is gone or an older version stands in its place, the tallies see.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Cell, Row } from '../operation.ts'
import type { TableShape } from './tables.ts'

/** First byte of a MAC: which form it has. */
const MAC_VERSION = 1
const LABEL = 'byway row v1'

/** A row with what the store adds to it. */
export type FullRow = { readonly sequence: number; readonly revision: number; readonly row: Row }

/** The store's key, read once: reading its bytes anew for each MAC costs six times the MAC. */
export type MacKey = KeyObject

/** Reads the store's key. */
export function readMacKey(bytes: Uint8Array): MacKey {
  return createSecretKey(bytes)
}

/** `version ‖ HMAC(key, label ‖ table ‖ sequence ‖ revision ‖ columns)`, every part with its type and length before it. */
export function rowMac(key: MacKey, shape: TableShape, full: FullRow): Uint8Array {
  const cells = Object.keys(shape.columns).map((column) => full.row[column] ?? null)
  return macOf(key, [LABEL, shape.name, full.sequence, full.revision, ...cells])
}

/** A MAC over any list of cells. The first is a label that no other use has. */
export function macOf(key: MacKey, cells: readonly Cell[]): Uint8Array {
  const mac = createHmac('sha256', key).update(Buffer.concat(cells.flatMap(encode)))
  return Buffer.concat([Buffer.of(MAC_VERSION), mac.digest()])
}

export function isSameMac(a: Uint8Array, b: unknown): boolean {
  return b instanceof Uint8Array && a.length === b.length && timingSafeEqual(a, b)
}

/** A MAC as a number: all of a table's are mixed by XOR into its tally. */
export function macNumber(mac: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(mac).toString('hex')}`)
}

function encode(cell: Cell): readonly Uint8Array[] {
  if (cell === null) return [head(0, 0)]
  if (typeof cell === 'number') {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(cell))
    return [head(1, 8), bytes]
  }
  const bytes = typeof cell === 'string' ? Buffer.from(cell, 'utf8') : cell
  return [head(typeof cell === 'string' ? 2 : 3, bytes.length), bytes]
}

function head(type: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8(type)
  bytes.writeUInt32BE(length, 1)
  return bytes
}
