/**
 * Sums that only grow, or grow and are taken down, by name: losing tickets, units, spending per day.
 * @module
 */
import type { Submit } from '../operation.ts'
import { readAll, textOf } from './row.ts'

export interface CounterRecords {
  /** Adds to a counter, from 0 where it is new; gives the sum. What must not be lost is waited for, what may be lost is added up and written now and then. */
  add(name: string, amount: bigint): Promise<bigint>
  get(name: string): Promise<bigint>
  /** All of them by name. */
  all(): Promise<ReadonlyMap<string, bigint>>
  /** Removes one, such as that of a day long past. */
  remove(name: string): Promise<void>
}

const TABLE = 'counter'

export function createCounterRecords(submit: Submit): CounterRecords {
  return {
    async add(name, amount) {
      const key = { name }
      const value = amount.toString()
      return BigInt(await submit({ verb: 'add', table: TABLE, key, column: 'value', value }))
    },
    async get(name) {
      const found = await submit({ verb: 'get', table: TABLE, key: { name } })
      return found ? BigInt(textOf(found.row, 'value')) : 0n
    },
    async all() {
      const rows = await readAll(submit, TABLE, [])
      return new Map(rows.map(({ row }) => [textOf(row, 'name'), BigInt(textOf(row, 'value'))]))
    },
    async remove(name) {
      await submit({ verb: 'remove', table: TABLE, when: [{ column: 'name', is: name }] })
    },
  }
}
