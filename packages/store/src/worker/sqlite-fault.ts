/** Reads SQLite's errors: which of them mean what to a store. */
import { storeError, type StoreError } from '../errors.ts'

/** `conflict`: a record contradicts another. `busy`: another connection has it. `damaged`: the file is not sound. `input`: the disk's fault or the system's refusal. */
export type SqliteFault = 'full' | 'conflict' | 'busy' | 'damaged' | 'io' | 'refused'

/** Primary result codes of SQLite. */
const FAULTS: ReadonlyMap<number, SqliteFault> = new Map([
  [5, 'busy'],
  [6, 'busy'],
  [8, 'refused'],
  [10, 'io'],
  [11, 'damaged'],
  [13, 'full'],
  [14, 'refused'],
  [19, 'conflict'],
  [23, 'refused'],
  [26, 'damaged'],
])

const PRIMARY_MASK = 0xff

/** What an error of node:sqlite means; nothing for another error. */
export function sqliteFault(error: unknown): SqliteFault | undefined {
  const code = sqliteCode(error)
  return code === undefined ? undefined : FAULTS.get(code & PRIMARY_MASK)
}

/** Makes the store's error of a system's or SQLite's error; a bug passes through as it is. */
export function asStoreError(error: unknown): StoreError | undefined {
  const errno = errnoOf(error)
  switch (sqliteFault(error)) {
    case 'full':
      return storeError('STORE_FULL', {})
    case 'busy':
      return storeError('STORE_LOCKED', {})
    case 'refused':
      return storeError('STORE_UNUSABLE', { errno })
    case 'io':
    case 'damaged':
      return storeError('STORE_FAILED', { errno })
    case 'conflict':
    case undefined:
      break
  }
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return storeError('STORE_FULL', {})
  if (errno === 'EIO') return storeError('STORE_FAILED', { errno })
  return errno === '' ? undefined : storeError('STORE_UNUSABLE', { errno })
}

/** The system's word, or SQLite's number as a word. */
export function errnoOf(error: unknown): string {
  const code = sqliteCode(error)
  if (code !== undefined) return `SQLITE_${code}`
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : ''
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
