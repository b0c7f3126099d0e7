/** Compares every row with its MAC and every table with its tally. Reads only. */
import type { TableSet } from './table-set.ts'
import { isSameMac, macNumber, rowMac, type FullRow, type MacKey } from './row-mac.ts'
import type { Table } from './table.ts'
import { EMPTY_TALLY, type Tally } from './tally.ts'

/** What a table holds in truth. */
export type Verified = {
  readonly table: Table
  /** Of the rows that are whole. */
  readonly tally: Tally
  readonly damaged: readonly FullRow[]
  /** At least so many rows are gone, or stand there in an older version. */
  readonly missing: number
  /** A row or the tally was made with our key. */
  readonly isKeyProven: boolean
}

export function verify(tables: TableSet, key: MacKey): readonly Verified[] {
  return tables.tables.map((table) => verifyTable(table, key, tables.stored(table.shape.name)))
}

function verifyTable(table: Table, key: MacKey, stored: Tally | undefined): Verified {
  let { rows, next, revision, mixed } = EMPTY_TALLY
  const damaged: FullRow[] = []
  for (const { mac, ...full } of table.scan()) {
    next = Math.max(next, full.sequence + 1)
    const right = rowMac(key, table.shape, full)
    if (!isSameMac(right, mac)) {
      damaged.push(full)
      continue
    }
    rows++
    revision = Math.max(revision, full.revision)
    mixed ^= macNumber(right)
  }
  const found = { rows, next, revision, mixed }
  return {
    table,
    tally: stored ? afterBoth(found, stored) : found,
    damaged,
    missing: stored ? missingRows(found, damaged.length, stored) : 0,
    isKeyProven: stored !== undefined || rows > 0,
  }
}

/** Places and revisions go on from where they were, even where the rows that had them are gone. */
export function afterBoth(found: Tally, stored: Tally): Tally {
  return {
    ...found,
    next: Math.max(found.next, stored.next),
    revision: Math.max(found.revision, stored.revision),
  }
}

/** @param damaged - rows that were found but are not whole */
export function missingRows(found: Tally, damaged: number, stored: Tally): number {
  const gone = stored.rows - found.rows - damaged
  const isOlder = damaged === 0 && gone <= 0 && stored.mixed !== found.mixed
  return Math.max(gone, isOlder ? 1 : 0)
}
