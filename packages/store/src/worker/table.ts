/** One table of rows with MACs, and its tally: how many rows there are, and all their MACs mixed. */
import { assert } from '@byway/protocol/base'
import type { SQLInputValue } from 'node:sqlite'
import type { Cell, Condition, Row, StoredRow } from '../operation.ts'
import type { Connection, SqlRow } from './connection.ts'
import { macNumber, rowMac, type FullRow, type MacKey } from './row-mac.ts'
import type { TableShape } from './tables.ts'
import { EMPTY_TALLY, type Tally } from './tally.ts'

export class Table {
  readonly shape: TableShape
  /** The caller loads it at the start, saves it with each transaction, and puts it back when something is undone. */
  tally: Tally = EMPTY_TALLY
  readonly #connection: Connection
  readonly #key: MacKey
  readonly #columns: readonly string[]
  readonly #insertSql: string
  readonly #updateSql: string

  constructor(connection: Connection, shape: TableShape, key: MacKey) {
    this.shape = shape
    this.#connection = connection
    this.#key = key
    this.#columns = Object.keys(shape.columns)
    const columns = ['sequence', 'revision', ...this.#columns, 'mac']
    const cells = `(${columns.join(', ')})`
    const marks = `(${columns.map(() => '?').join(', ')})`
    this.#insertSql = `INSERT INTO ${shape.name} ${cells} VALUES ${marks}`
    this.#updateSql = `UPDATE ${shape.name} SET ${cells} = ${marks} WHERE sequence = ?`
  }

  insert(row: Row): 'new' | 'known' {
    if (this.get(this.#keyOf(row))) return 'known'
    const { next, rows, revision } = this.tally
    this.tally = { ...this.tally, next: next + 1, rows: rows + 1, revision: revision + 1 }
    this.#write('INSERT', { sequence: next, revision: revision + 1, row })
    return 'new'
  }

  put(row: Row): undefined {
    const found = this.get(this.#keyOf(row))
    if (found) this.replace(found.sequence, row)
    else this.insert(row)
  }

  change(key: Row, set: Row, when: readonly Condition[]): boolean {
    const [found] = this.list([...equal(key), ...when], 0, 1)
    if (!found) return false
    this.replace(found.sequence, { ...found.row, ...set })
    return true
  }

  raise(key: Row, column: string, value: number): number | undefined {
    const found = this.get(key)
    const held = found?.row[column]
    if (!found || typeof held !== 'number') return undefined
    if (value <= held) return held
    this.replace(found.sequence, { ...found.row, [column]: value })
    return value
  }

  add(key: Row, column: string, value: string): string {
    const held = this.get(key)?.row[column]
    const sum = BigInt(typeof held === 'string' ? held : '0') + BigInt(value)
    this.put({ ...key, [column]: sum.toString() })
    return sum.toString()
  }

  get(key: Row): StoredRow | undefined {
    return this.list(equal(key), 0, 1)[0]
  }

  list(when: readonly Condition[], after: number, limit: number): readonly StoredRow[] {
    const { sql, values } = this.#where(when)
    const found = this.#connection.all(
      `SELECT * FROM ${this.shape.name} WHERE sequence > ? ${sql} ORDER BY sequence LIMIT ?`,
      after,
      ...values,
      limit,
    )
    return found.map((row) => this.#read(row))
  }

  take(when: readonly Condition[], limit: number): readonly StoredRow[] {
    const taken = this.list(when, 0, limit)
    for (const { sequence } of taken) this.removeAt(sequence)
    return taken
  }

  /** Gives the row at a place other columns. */
  replace(sequence: number, row: Row): void {
    this.#forget(sequence)
    const revision = this.tally.revision + 1
    this.tally = { ...this.tally, revision }
    this.#write('REPLACE', { sequence, revision, row })
  }

  /** Removes a row; the tally forgets it by the MAC that it has. */
  removeAt(sequence: number): void {
    this.#forget(sequence)
    this.#connection.run(`DELETE FROM ${this.shape.name} WHERE sequence = ?`, sequence)
    const { rows, revision } = this.tally
    this.tally = { ...this.tally, rows: rows - 1, revision: revision + 1 }
  }

  remove(when: readonly Condition[]): number {
    let count = 0
    for (;;) {
      const taken = this.take(when, REMOVE_STEP_ROWS)
      count += taken.length
      if (taken.length < REMOVE_STEP_ROWS) return count
    }
  }

  /** Every row as it stands, unchecked, with its MAC beside it. */
  *scan(): Generator<FullRow & { readonly mac: unknown }> {
    const all = this.#connection.iterate(`SELECT * FROM ${this.shape.name} ORDER BY sequence`)
    for (const row of all)
      yield { ...this.#read(row), revision: Number(row['revision']), mac: row['mac'] }
  }

  /** Puts back a row that was saved from a damaged file, at its old place. */
  restore(full: FullRow): void {
    const { rows, next, revision } = this.tally
    this.tally = {
      ...this.tally,
      rows: rows + 1,
      next: Math.max(next, full.sequence + 1),
      revision: Math.max(revision, full.revision),
    }
    this.#write('INSERT', full)
  }

  #forget(sequence: number): void {
    const found = this.#connection.get(
      `SELECT mac FROM ${this.shape.name} WHERE sequence = ?`,
      sequence,
    )
    const mac = found?.['mac']
    if (mac instanceof Uint8Array) this.#mix(mac)
  }

  #write(how: 'INSERT' | 'REPLACE', full: FullRow): void {
    const mac = rowMac(this.#key, this.shape, full)
    const cells = this.#columns.map((column) => full.row[column] ?? null)
    const all: Cell[] = [full.sequence, full.revision, ...cells, mac]
    if (how === 'INSERT') this.#connection.run(this.#insertSql, ...all)
    else this.#connection.run(this.#updateSql, ...all, full.sequence)
    this.#mix(mac)
  }

  #mix(mac: Uint8Array): void {
    this.tally = { ...this.tally, mixed: this.tally.mixed ^ macNumber(mac) }
  }

  #keyOf(row: Row): Row {
    return Object.fromEntries(this.shape.key.map((column) => [column, row[column] ?? null]))
  }

  #read(found: SqlRow): StoredRow {
    const cells = this.#columns.map((column) => [column, found[column] as Cell])
    return {
      sequence: Number(found['sequence']),
      row: Object.fromEntries(cells) as Row,
    }
  }

  #where(when: readonly Condition[]): { sql: string; values: SQLInputValue[] } {
    const values: SQLInputValue[] = []
    const parts = when.map((condition) => {
      assert(condition.column in this.shape.columns, `${condition.column} is a column`)
      if ('below' in condition) {
        values.push(condition.below)
        return `AND ${condition.column} < ?`
      }
      if ('above' in condition) {
        values.push(condition.above)
        return `AND ${condition.column} > ?`
      }
      const any = isList(condition.is) ? condition.is : [condition.is]
      values.push(...any)
      return `AND ${condition.column} IN (${any.map(() => '?').join(', ')})`
    })
    return { sql: parts.join(' '), values }
  }
}

/** Rows removed by one look; a bound on what is held, not on what is removed. */
const REMOVE_STEP_ROWS = 1000

function equal(key: Row): readonly Condition[] {
  return Object.entries(key).map(([column, is]) => ({ column, is }))
}

function isList(value: Cell | readonly Cell[]): value is readonly Cell[] {
  return Array.isArray(value)
}
