/** The files of a store, all private to their owner, and the little that is done to them besides SQL. */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700
const FOREIGN_BITS = 0o077

/** Paths of one store. */
export type StorePaths = {
  readonly folder: string
  readonly database: string
  readonly wal: string
  readonly shm: string
  /** Empty; its lock is the store's. */
  readonly lock: string
  /** There while the store is open: whoever finds it knows that the last process did not close. */
  readonly openMark: string
  readonly reserve: string
  /** A new store is made here and then put in its place. */
  readonly fresh: string
}

export function storePaths(folder: string, name: string): StorePaths {
  const at = (ending: string): string => join(folder, `${name}.${ending}`)
  return {
    folder,
    database: at('db'),
    wal: at('db-wal'),
    shm: at('db-shm'),
    lock: at('lock'),
    openMark: at('open'),
    reserve: at('reserve'),
    fresh: at('db-new'),
  }
}

/** Makes the folder where it is not there. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER })
}

/**
 * Makes an empty private file, or closes an own one to others. SQLite gives its side files the same mode. A file that is there is not opened: closing it again
 * would end the locks that this process has on it (POSIX).
 */
export function makePrivate(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) closeSync(openSync(path, 'a', PRIVATE_FILE))
  else if ((found.mode & FOREIGN_BITS) !== 0) chmodSync(path, PRIVATE_FILE)
}

export function fileBytes(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

/** Makes a file's name, or its absence, last through a power cut. Windows cannot and need not. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

export function mark(path: string): void {
  makePrivate(path)
  syncFolder(dirname(path))
}

export function unmark(path: string): void {
  rmSync(path, { force: true })
  syncFolder(dirname(path))
}

// Local limits (tunable): docs/LIMITS.md.
/** Damaged files kept for a look; the oldest go, so that a dying disk is not filled with copies of itself. */
const MAX_SIDE_FILES = 4

/** A new name for a damaged thing, beside the store; removes the oldest of those that are there. */
export function sideFile(paths: StorePaths, ending: string): string {
  const stem = `${basename(paths.database, '.db')}.damaged-`
  const old = readdirSync(paths.folder).filter((name) => name.startsWith(stem))
  const numbers = old
    .map((name) => Number.parseInt(name.slice(stem.length), 10))
    .toSorted((a, b) => a - b)
  const last = numbers.at(-1) ?? 0
  const oldest = [...new Set(numbers)].slice(0, -(MAX_SIDE_FILES - 1))
  for (const name of old) {
    if (oldest.includes(Number.parseInt(name.slice(stem.length), 10)))
      rmSync(join(paths.folder, name), { force: true })
  }
  return join(paths.folder, `${stem}${last + 1}.${ending}`)
}
