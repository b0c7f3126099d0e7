/** Replaces a store that SQLite cannot read soundly by a new one with every row that is whole. The old one stays beside it. */
import { copyFileSync, renameSync } from 'node:fs'
import { basename } from 'node:path'
import { storeError } from '../errors.ts'
import { carve, type Carved } from './carve.ts'
import { createStore } from './create.ts'
import { fileBytes, makePrivate, sideFile, syncFolder, type StorePaths } from './files.ts'
import type { FullRow } from './row-mac.ts'
import type { TableSet } from './table-set.ts'
import { afterBoth, missingRows } from './verify.ts'
import type { WalImage } from './wal.ts'
import type { MacKey } from './row-mac.ts'

export type Salvaged = {
  readonly damagedRows: number
  readonly missingRows: number
  readonly sideFiles: readonly string[]
}

/** @throws STORE_WRONG_KEY when there are rows and none of them was made with this key; then nothing was changed */
export function salvage(paths: StorePaths, wal: WalImage | undefined, key: MacKey): Salvaged {
  const carved = carve(paths.database, wal, key)
  const isOurs = carved.rows.size > 0 || carved.tallies.size > 0
  if (!isOurs && carved.damaged.length > 0) throw storeError('STORE_WRONG_KEY', {})
  const sideFiles = putAside(paths)
  let missing = 0
  createStore(paths, key, (tables) => {
    missing = fill(tables, carved)
  })
  return { damagedRows: carved.damaged.length, missingRows: missing, sideFiles }
}

/** Copies the file and takes the log away: SQLite must not lay an old log over a new file. */
function putAside(paths: StorePaths): readonly string[] {
  const copy = sideFile(paths, 'db')
  makePrivate(copy)
  copyFileSync(paths.database, copy)
  if (fileBytes(paths.wal) !== undefined) renameSync(paths.wal, `${copy}-wal`)
  syncFolder(paths.folder)
  return [basename(copy)]
}

/** Puts the saved rows in; gives the number of those that are known to be gone. */
function fill(tables: TableSet, carved: Carved): number {
  let missing = 0
  for (const table of tables.tables) {
    const rows = withoutDoubles(table.shape.key, carved.rows.get(table.shape.name))
    for (const row of rows) table.restore(row)
    const stored = carved.tallies.get(table.shape.name)
    if (!stored) continue
    missing += missingRows(table.tally, 0, stored)
    table.tally = afterBoth(table.tally, stored)
  }
  for (const { place, tag } of carved.tags) tables.spent.addTag(place, tag)
  return missing
}

/** One key may lie at two places when an old page came back; the newer write is the true one. */
function withoutDoubles(
  key: readonly string[],
  found: ReadonlyMap<number, FullRow> | undefined,
): readonly FullRow[] {
  const byKey = new Map<string, FullRow>()
  for (const full of found?.values() ?? []) {
    const name = key.map((column) => text(full.row[column])).join(' ')
    const known = byKey.get(name)
    if (!known || known.revision < full.revision) byKey.set(name, full)
  }
  return [...byKey.values()]
}

function text(cell: unknown): string {
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell)
}
