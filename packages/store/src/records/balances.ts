/**
 * What slots have paid at a node and not yet got in tokens (SPEC §16.3).
 * @module
 */
import type { BalanceRecords, StoredBalance } from '@byway/protocol/payment'
import type { StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll } from './row.ts'

const TABLE = 'balance'

export function createBalanceRecords(submit: Submit): BalanceRecords {
  return {
    list: async () => (await readAll(submit, TABLE, [])).map(toBalance),
    async put({ nullifier, units, paidAtMs, admissionDay, admissions, lastSales }) {
      await submit({
        verb: 'put',
        table: TABLE,
        row: {
          nullifier,
          units,
          paid_ms: paidAtMs,
          admission_day: admissionDay,
          admissions,
          last_sales: lastSales,
        },
      })
    },
    async remove(nullifier) {
      await submit({ verb: 'remove', table: TABLE, when: [{ column: 'nullifier', is: nullifier }] })
    },
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
