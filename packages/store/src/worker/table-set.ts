/** All tables of a store over one connection, with their tallies. */
import { assert } from '@byway/protocol/base'
import type { Connection } from './connection.ts'
import { SpentSet } from './spent-set.ts'
import { Table } from './table.ts'
import { TABLES } from './tables.ts'
import { readTally, TALLY_COLUMNS, tallyCells, type Tally } from './tally.ts'
import type { MacKey } from './row-mac.ts'

const SAVE_TALLY = `INSERT OR REPLACE INTO tally (${TALLY_COLUMNS.join(', ')}) VALUES (${TALLY_COLUMNS.map(() => '?').join(', ')})`

export class TableSet {
  readonly tables: readonly Table[]
  readonly spent: SpentSet
  readonly #connection: Connection
  readonly #key: MacKey
  readonly #byName: ReadonlyMap<string, Table>
  #saved: readonly Tally[]

  constructor(connection: Connection, key: MacKey) {
    this.#connection = connection
    this.#key = key
    this.tables = TABLES.map((shape) => new Table(connection, shape, key))
    this.#byName = new Map(this.tables.map((table) => [table.shape.name, table]))
    this.spent = new SpentSet(connection, this.table('spent_key'), key)
    this.#saved = this.mark()
  }

  table(name: string): Table {
    const table = this.#byName.get(name)
    assert(table, `there is a table ${name}`)
    return table
  }

  /** The tallies as they are now, to {@link reset} to. */
  mark(): readonly Tally[] {
    return this.tables.map(({ tally }) => tally)
  }

  reset(mark: readonly Tally[]): void {
    this.tables.forEach((table, at) => {
      table.tally = mark[at] ?? table.tally
    })
  }

  /** Writes the tallies that changed, or all; part of the transaction. */
  save(which: 'changed' | 'all' = 'changed'): void {
    this.tables.forEach(({ shape, tally }, at) => {
      if (which === 'all' || this.#saved[at] !== tally) this.#write(shape.name, tally)
    })
  }

  /** The transaction is on the disk. */
  committed(): void {
    this.#saved = this.mark()
  }

  /** The transaction was undone. */
  undone(): void {
    this.reset(this.#saved)
  }

  /** A table's tally as it is stored; nothing when it is not there or its MAC is wrong. */
  stored(name: string): Tally | undefined {
    const row = this.#connection.get('SELECT * FROM tally WHERE name = ?', name)
    const cells = TALLY_COLUMNS.map((column) => row?.[column])
    return readTally(this.#key, cells)
  }

  #write(name: string, tally: Tally): void {
    this.#connection.run(SAVE_TALLY, ...tallyCells(this.#key, name, tally))
  }
}
