/** Does batches: each in one transaction with one fsync, each group in it all or none. */
import { storeError } from '../errors.ts'
import type { Group, GroupResult, PlainStoreError } from '../protocol.ts'
import { plainError } from '../protocol.ts'
import type { StoreHealth } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Reserve } from './reserve.ts'
import { asStoreError, errnoOf, sqliteFault } from './sqlite-fault.ts'
import type { TableSet } from './table-set.ts'
import { beginsWork, perform } from './verbs.ts'

export class Engine {
  readonly #connection: Connection
  readonly #tables: TableSet
  readonly #reserve: Reserve
  readonly #onHealth: (health: StoreHealth) => void
  #health: StoreHealth = 'ok'

  constructor(
    connection: Connection,
    tables: TableSet,
    reserve: Reserve,
    onHealth: (health: StoreHealth) => void,
  ) {
    this.#connection = connection
    this.#tables = tables
    this.#reserve = reserve
    this.#onHealth = onHealth
  }

  /** Does a batch. Never throws for the disk's faults: they are in the results. */
  work(groups: readonly Group[]): readonly GroupResult[] {
    if (this.#health === 'failed') return all(groups, 'STORE_FAILED')
    try {
      return this.#transact(groups)
    } catch (error) {
      return this.#afterFault(groups, error)
    }
  }

  /** The disk had no room for the reserve when the store was opened. */
  fill(): void {
    this.#setHealth('full')
  }

  /** Takes the reserve back when there is room again. To be called now and then. */
  recover(): void {
    if (this.#health !== 'full') return
    try {
      if (this.#reserve.hold()) this.#setHealth('ok')
    } catch (error) {
      this.#fail(error)
    }
  }

  #transact(groups: readonly Group[]): readonly GroupResult[] {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      const results = groups.map((group) => this.#doGroup(group))
      this.#tables.save()
      this.#connection.exec('COMMIT')
      this.#tables.committed()
      return results
    } catch (error) {
      this.#tables.undone()
      if (this.#connection.isInTransaction) this.#connection.exec('ROLLBACK')
      throw error
    }
  }

  /** One group, undone by itself when its records contradict others. */
  #doGroup(group: Group): GroupResult {
    const isRefused = this.#health === 'full' && group.some((one) => beginsWork(this.#tables, one))
    if (isRefused) return { error: plainError(storeError('STORE_FULL', {})) }
    const mark = this.#tables.mark()
    this.#connection.exec('SAVEPOINT one')
    try {
      const given = group.map((operation) => perform(this.#tables, operation))
      this.#connection.exec('RELEASE one')
      return { given }
    } catch (error) {
      if (sqliteFault(error) !== 'conflict') throw error
      this.#tables.reset(mark)
      this.#connection.exec('ROLLBACK TO one')
      this.#connection.exec('RELEASE one')
      const table = group[0]?.table ?? ''
      return { error: plainError(storeError('STORE_CONFLICT', { table })) }
    }
  }

  /** A full disk is tried once more with the reserve given up; any other fault is the end of this store. */
  #afterFault(groups: readonly Group[], error: unknown): readonly GroupResult[] {
    if (asStoreError(error)?.code !== 'STORE_FULL') return this.#fail(error, groups)
    const hadReserve = this.#reserve.release()
    this.#setHealth('full')
    return hadReserve ? this.work(groups) : all(groups, 'STORE_FULL')
  }

  /** No second try: after a failed fsync the system may say yes to a write that never reached the disk. */
  #fail(error: unknown, groups: readonly Group[] = []): readonly GroupResult[] {
    const errno = errnoOf(error)
    if (errno === '') throw error
    this.#setHealth('failed')
    return groups.map(() => ({ error: plainError(storeError('STORE_FAILED', { errno })) }))
  }

  #setHealth(health: StoreHealth): void {
    if (this.#health === health) return
    this.#health = health
    this.#onHealth(health)
  }
}

function all(groups: readonly Group[], code: 'STORE_FULL' | 'STORE_FAILED'): GroupResult[] {
  const error: PlainStoreError = {
    code,
    context: code === 'STORE_FULL' ? {} : { errno: 'earlier' },
  }
  return groups.map(() => ({ error }))
}
