/**
 * What the store throws. Contexts hold the system's words and numbers, never a record's content or a path.
 * @module
 */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

/** Context carried by each code. One row here is one row of docs/ERRORS.md. */
type StoreErrors = {
  /** Another process has this store open: stop it, or choose another home. The lock ends with its process, so there is nothing to remove. */
  STORE_LOCKED: Record<string, never>
  /** Written with another key: restore the purse or identity that made it, or move the file away. Nothing was changed. */
  STORE_WRONG_KEY: Record<string, never>
  /** Written by a newer Byway: use that one, or a newer. Nothing was changed. */
  STORE_NEWER: { found: number; known: number }
  /** The folder or file cannot be made, read or written: see its owner, its mode and whether the disk is mounted read-only. */
  STORE_UNUSABLE: { errno: string }
  /** The disk or the store's quota is full: free some space; the store goes on by itself. The operation was not done. */
  STORE_FULL: Record<string, never>
  /** The disk failed. Nothing is written or read any more: see the disk, then start again. */
  STORE_FAILED: { errno: string }
  /** More operations wait than the queue holds: the disk is too slow for the load. The operation was not done. */
  STORE_BUSY: { limit: number }
  /** The store was closed. The operation was not done. */
  STORE_CLOSED: Record<string, never>
  /** A record contradicts one that is there. The operation, and all of its group, was not done. */
  STORE_CONFLICT: { table: string }
}

/** Every error this package throws. Narrow on `code` to read `context`. */
export type StoreError = ErrorOf<StoreErrors>

/** Builds, does not throw. */
export const storeError: ErrorBuilder<StoreErrors> = errorBuilder<StoreErrors>({
  STORE_LOCKED: ['local', 'another process uses this store; stop it or choose another home'],
  STORE_WRONG_KEY: ['local', 'the store was written with another key; restore that key'],
  STORE_NEWER: ['local', 'the store was written by a newer version; use that one'],
  STORE_UNUSABLE: ['local', 'the store cannot be opened; see its owner, mode and disk'],
  STORE_FULL: ['local', 'the disk is full; free some space'],
  STORE_FAILED: ['local', 'the disk failed; see to it, then start again'],
  STORE_BUSY: ['local', 'the disk is too slow for what waits to be written'],
  STORE_CLOSED: ['local', 'the store was closed'],
  STORE_CONFLICT: ['bug', 'a record contradicts a stored one'],
})
