/**
 * What slots have paid at a node and not yet got in tokens (SPEC §16.3).
 * @module
 */
import type { BalanceRecords, StoredBalance } from '@byway/protocol/payment'
import type { Row, StoredRow, Submit, SubmitAll } from '../operation.ts'
import { bytesOf, numberOf, readAll } from './row.ts'
import { soldCounter } from './token-keys.ts'

const TABLE = 'balance'

export function createBalanceRecords(submit: Submit, submitAll: SubmitAll): BalanceRecords {
  return {
    list: async () => (await readAll(submit, TABLE, [])).map(toBalance),
    async put(balance, sale) {
      const put = { verb: 'put', table: TABLE, row: toRow(balance) } as const
      if (!sale) {
        await submit(put)
        return
      }
      const key = { name: soldCounter(sale.keyId) }
      const value = sale.count.toString()
      await submitAll((one) => {
        void one(put)
        void one({ verb: 'add', table: 'counter', key, column: 'value', value })
      })
    },
    async remove(nullifier) {
      await submit({ verb: 'remove', table: TABLE, when: [{ column: 'nullifier', is: nullifier }] })
    },
  }
}

function toRow(balance: StoredBalance): Row {
  const { nullifier, units, paidAtMs, admissionDay, admissions, lastSales } = balance
  return {
    nullifier,
    units,
    paid_ms: paidAtMs,
    admission_day: admissionDay,
    admissions,
    last_sales: lastSales,
  }
}

function toBalance({ row }: StoredRow): StoredBalance {
  return {
    nullifier: bytesOf(row, 'nullifier'),
    units: numberOf(row, 'units'),
    paidAtMs: numberOf(row, 'paid_ms'),
    admissionDay: numberOf(row, 'admission_day'),
    admissions: numberOf(row, 'admissions'),
    lastSales: bytesOf(row, 'last_sales'),
  }
}
