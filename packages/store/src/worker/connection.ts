/** One connection with its prepared statements. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

/** Bytes of a page, fixed when the file is made. */
export const PAGE_BYTES = 4096

/** How long a statement waits for a reader of the same file before it fails. */
const BUSY_TIMEOUT_MS = 5000

/**
 * A commit is on the disk when it returns (`synchronous=FULL`, ADR-0015). Deleted content is overwritten, cells are checked as they are
 * read, and the schema of the file is not trusted with functions.
 */
const PRAGMAS = `
PRAGMA page_size=${PAGE_BYTES};
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA fullfsync=ON;
PRAGMA checkpoint_fullfsync=ON;
PRAGMA secure_delete=ON;
PRAGMA cell_size_check=ON;
PRAGMA trusted_schema=OFF;
PRAGMA temp_store=MEMORY;
`

export type SqlRow = Readonly<Record<string, unknown>>

export class Connection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  /** The file is made by the caller, so that it is private from the start. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    try {
      this.#database.exec(PRAGMAS)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** Runs SQL text without values. */
  exec(sql: string): void {
    this.#database.exec(sql)
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): readonly SqlRow[] {
    return this.#prepare(sql).all(...values)
  }

  iterate(sql: string, ...values: SQLInputValue[]): Iterable<SqlRow> {
    return this.#prepare(sql).iterate(...values)
  }

  /** A number that a pragma gives. */
  pragma(name: string): number {
    const row = this.get(`PRAGMA ${name}`)
    return Number(Object.values(row ?? {})[0])
  }

  /** True inside a transaction. SQLite ends one by itself after some errors. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const fresh = this.#database.prepare(sql)
    this.#statements.set(sql, fresh)
    return fresh
  }
}
