/** Reads the beginning of a database file without SQLite (its file format, "The Database Header"). */
import { closeSync, openSync, readSync } from 'node:fs'

/** What stands there in every store of ours: pages of 4096 bytes, a write-ahead log (2, 2), payload fractions, schema format 4, no vacuum, UTF-8, no application. */
const FIXED: readonly (readonly [at: number, hex: string])[] = [
  [0, '53514c69746520666f726d6174203300'],
  [16, '1000020200402020'],
  [44, '00000004000000000000000000000001'],
  [64, '00'.repeat(28)],
]
const HEADER_BYTES = 100

/**
 * True when the file begins as every store of ours does. One that says something else SQLite may open for reading only, without its log and what was committed there, or not
 * at all.
 */
export function hasOwnHeader(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    readSync(file, header, 0, HEADER_BYTES, 0)
    return FIXED.every(([at, hex]) => header.toString('hex', at, at + hex.length / 2) === hex)
  } finally {
    closeSync(file)
  }
}
