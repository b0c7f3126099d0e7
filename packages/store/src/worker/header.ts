/** Reads the beginning of a database file without SQLite (its file format, "The Database Header"). */
import { closeSync, openSync, readSync } from 'node:fs'

const VERSIONS_AT = 18
const WAL = 2

/**
 * True when the file says that it has a write-ahead log, as every store of ours does. Of another version SQLite opens it for reading only, or without its log and
 * what was committed there.
 */
export function isWalFile(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const versions = new Uint8Array(2)
    const count = readSync(file, versions, 0, versions.length, VERSIONS_AT)
    return count === versions.length && versions.every((version) => version === WAL)
  } finally {
    closeSync(file)
  }
}
