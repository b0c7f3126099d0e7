/**
 * One process at a time. The lock is the system's (SQLite's own, on an empty file that nothing is written to): it ends with its process, however that ends, so
 * there is never a stale one to remove, and no process id to trust.
 */
import { DatabaseSync } from 'node:sqlite'
import { storeError } from '../errors.ts'
import { sqliteFault } from './sqlite-fault.ts'

/** Held until disposed. */
export type Lock = Disposable

/** @throws STORE_LOCKED when another process, or another store of this one, has it */
export function takeLock(path: string): Lock {
  const file = new DatabaseSync(path)
  try {
    file.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    file.close()
    throw sqliteFault(error) === 'busy' ? storeError('STORE_LOCKED', {}) : error
  }
  return { [Symbol.dispose]: () => file.close() }
}
