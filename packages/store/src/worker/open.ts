/** Opens a store's file: lock, look for damage, repair, migrate, verify. */
import { storeError } from '../errors.ts'
import type { WorkerSettings } from '../protocol.ts'
import type { OpeningReport } from '../store.ts'
import { Connection } from './connection.ts'
import { createStore } from './create.ts'
import {
  fileBytes,
  makeFolder,
  makePrivate,
  mark,
  storePaths,
  unmark,
  type StorePaths,
} from './files.ts'
import { hasOwnHeader } from './header.ts'
import { takeLock, type Lock } from './lock.ts'
import { writeSideFile } from './quarantine.ts'
import { salvage } from './salvage.ts'
import { hasKeyMark, migrate, Unsound } from './schema.ts'
import { sqliteFault } from './sqlite-fault.ts'
import { TableSet } from './table-set.ts'
import { verify, type Verified } from './verify.ts'
import { readWal, type WalImage } from './wal.ts'
import { type MacKey, readMacKey } from './row-mac.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Up to this size the indices are compared with their tables at each start; above it only after an unclean stop. */
const FULL_CHECK_BYTES = 64 * 1024 * 1024

/** An open file, locked. Disposing closes it and says that it was closed. */
export type OpenFile = Disposable & {
  readonly connection: Connection
  readonly tables: TableSet
  readonly paths: StorePaths
  readonly report: OpeningReport
}

type Repair = Pick<OpeningReport, 'damagedRows' | 'missingRows' | 'sideFiles'>

const NO_REPAIR: Repair = { damagedRows: 0, missingRows: 0, sideFiles: [] }

/** @throws STORE_LOCKED, STORE_WRONG_KEY, STORE_NEWER, and errors of the system and of SQLite as they are */
export function openFile({ folder, name, key }: WorkerSettings): OpenFile {
  makeFolder(folder)
  const paths = storePaths(folder, name)
  makePrivate(paths.lock)
  const lock = takeLock(paths.lock)
  try {
    return openLocked(paths, readMacKey(key), lock)
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

function openLocked(paths: StorePaths, key: MacKey, lock: Lock): OpenFile {
  const before = lookBefore(paths)
  if (!before.isThere) createStore(paths, key)
  const { connection, repair } = openSound(paths, key, before)
  try {
    const tables = new TableSet(connection, key)
    const report = { ...adopt(connection, tables, paths, key, repair), ...before.found }
    mark(paths.openMark)
    return { connection, tables, paths, report, [Symbol.dispose]: close }
  } catch (error) {
    connection.close()
    throw error
  }

  function close(): void {
    unmark(paths.openMark)
    connection.close()
    lock[Symbol.dispose]()
  }
}

type Before = {
  readonly isThere: boolean
  readonly wasOpen: boolean
  readonly wal: WalImage | undefined
  readonly found: Pick<OpeningReport, 'isNew' | 'isTailLost'>
}

/** What the files say before SQLite touches them. A store that was not closed has a log: every start writes to it before it marks the store as open. */
function lookBefore(paths: StorePaths): Before {
  const isThere = fileBytes(paths.database) !== undefined
  const wasOpen = fileBytes(paths.openMark) !== undefined
  const wal = readWal(paths.wal)
  const isNew = !isThere && !wasOpen && wal === undefined
  const isTailLost = isThere ? (wasOpen && wal === undefined) || wal?.isSpoiled === true : !isNew
  return { isThere, wasOpen, wal, found: { isNew, isTailLost } }
}

/** Opens the file, salvaging it first when it is not sound. */
function openSound(
  paths: StorePaths,
  key: MacKey,
  before: Before,
): { connection: Connection; repair: Repair } {
  try {
    return { connection: openIfSound(paths, before), repair: NO_REPAIR }
  } catch (error) {
    if (!(error instanceof Unsound) && sqliteFault(error) !== 'damaged') throw error
    const repair = salvage(paths, before.wal, key)
    return { connection: new Connection(paths.database), repair }
  }
}

/** @throws Unsound, and SQLite's errors */
function openIfSound(paths: StorePaths, { wasOpen, wal }: Before): Connection {
  if (fileBytes(paths.database) === 0) throw new Unsound('empty')
  if (wal?.isSpoiled) throw new Unsound('spoiled log')
  makePrivate(paths.database)
  if (!hasOwnHeader(paths.database)) throw new Unsound('header')
  const connection = new Connection(paths.database)
  try {
    const isSmall = (fileBytes(paths.database) ?? 0) <= FULL_CHECK_BYTES
    const check = wasOpen || isSmall ? 'integrity_check' : 'quick_check'
    const [first] = connection.all(`PRAGMA ${check}(1)`)
    if (first?.[check] !== 'ok') throw new Unsound(check)
    migrate(connection)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** The mark may be damaged itself: then any row that was made with the key proves it. */
function requireKey(connection: Connection, key: MacKey, found: readonly Verified[]): void {
  if (hasKeyMark(connection, key) || found.some(({ isKeyProven }) => isKeyProven)) return
  throw storeError('STORE_WRONG_KEY', {})
}

/**
 * Takes damaged rows out and sets the tallies to what is there.
 *
 * @throws STORE_WRONG_KEY, before anything is changed
 */
function adopt(
  connection: Connection,
  tables: TableSet,
  paths: StorePaths,
  key: MacKey,
  repair: Repair,
): Omit<OpeningReport, 'isNew' | 'isTailLost'> {
  const found = verify(tables, key)
  requireKey(connection, key, found)
  const side = writeSideFile(paths, found)
  connection.exec('BEGIN IMMEDIATE')
  for (const { table, tally, damaged } of found) {
    for (const { sequence } of damaged) table.removeAt(sequence)
    table.tally = tally
  }
  const spent = tables.spent.disagreeing()
  spent.forEach((one) => tables.spent.markDamaged(one))
  tables.save('all')
  connection.exec('COMMIT')
  tables.committed()
  const sum = (count: (one: Verified) => number): number =>
    found.reduce((total, one) => total + count(one), 0)
  return {
    keptRows: sum(({ tally }) => tally.rows),
    damagedRows: repair.damagedRows + sum(({ damaged }) => damaged.length),
    missingRows: repair.missingRows + sum(({ missing }) => missing) + spent.length,
    sideFiles: side === undefined ? repair.sideFiles : [...repair.sideFiles, side],
  }
}
