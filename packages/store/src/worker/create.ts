/** Makes a new store: beside its place, whole and on the disk, then moved there. A store at its place is never half made. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { Connection } from './connection.ts'
import { makePrivate, syncFolder, type StorePaths } from './files.ts'
import { makeSchema } from './schema.ts'
import { TableSet } from './table-set.ts'
import type { MacKey } from './row-mac.ts'

/** @param fill - puts rows into the new store, if there are any to be saved */
export function createStore(
  paths: StorePaths,
  key: MacKey,
  fill: (tables: TableSet) => void = () => {},
): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(`${paths.fresh}${ending}`, { force: true })
  makePrivate(paths.fresh)
  const connection = new Connection(paths.fresh)
  try {
    makeSchema(connection, key)
    const tables = new TableSet(connection, key)
    connection.exec('BEGIN')
    fill(tables)
    tables.save('all')
    connection.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    connection.close()
  }
  syncFile(paths.fresh)
  renameSync(paths.fresh, paths.database)
  syncFolder(paths.folder)
}

function syncFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
