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
  const digest = createHmac('sha256', key).update(encoded(cells)).digest()
  const mac = Buffer.allocUnsafe(1 + digest.length)
  mac[0] = MAC_VERSION
  mac.set(digest, 1)
  return mac
}

export function isSameMac(a: Uint8Array, b: unknown): boolean {
  return b instanceof Uint8Array && a.length === b.length && timingSafeEqual(a, b)
}

/** A MAC as a number: all of a table's are mixed by XOR into its tally. */
export function macNumber(mac: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(mac).toString('hex')}`)
}

const HEAD_BYTES = 5
const NUMBER_BYTES = 8

/** Each cell with its type and length before it, in one piece: rows of a dozen cells are written at every ticket. */
function encoded(cells: readonly Cell[]): Uint8Array {
  const lengths = cells.map(lengthOf)
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + HEAD_BYTES + length, 0))
  let at = 0
  for (const [i, cell] of cells.entries()) {
    const length = lengths[i] ?? 0
    bytes[at] = typeOf(cell)
    bytes.writeUInt32BE(length, at + 1)
    at += HEAD_BYTES
    if (typeof cell === 'number') bytes.writeBigInt64BE(BigInt(cell), at)
    else if (typeof cell === 'string') bytes.write(cell, at, 'utf8')
    else if (cell) bytes.set(cell, at)
    at += length
  }
  return bytes
}

function lengthOf(cell: Cell): number {
  if (cell === null) return 0
  if (typeof cell === 'number') return NUMBER_BYTES
  return typeof cell === 'string' ? Buffer.byteLength(cell) : cell.length
}

function typeOf(cell: Cell): number {
  if (cell === null) return 0
  if (typeof cell === 'number') return 1
  return typeof cell === 'string' ? 2 : 3
}
