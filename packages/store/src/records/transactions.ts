/**
 * Signed transactions, on the disk before they are sent: the port of the chain's lanes.
 * @module
 */
import type { RawTransactionStore, StoredTransaction } from '@byway/protocol/payment'
import type { Condition, Row, StoredRow, Submit } from '../operation.ts'
import { readAll, textOf } from './row.ts'
import { readText, writeText } from './text-form.ts'

const TABLE = 'raw_transaction'

/** Signed transactions of a store. */
export interface TransactionRecords extends RawTransactionStore {
  /** Those that are in the chain for good, whether or not they changed anything: what their gas cost stands in the receipt. */
  settled(): Promise<readonly StoredTransaction[]>
}

export function createTransactionRecords(submit: Submit): TransactionRecords {
  const find = async (when: readonly Condition[]): Promise<readonly StoredTransaction[]> => {
    const found = (await readAll(submit, TABLE, when)).map(toTransaction)
    return found.toSorted((a, b) => a.nonce - b.nonce)
  }
  return {
    async put(transaction) {
      await submit({ verb: 'put', table: TABLE, row: toRow(transaction) })
    },
    pending: (account) =>
      find([
        { column: 'account', is: account },
        { column: 'state', is: 'pending' },
      ]),
    settled: () => find([{ column: 'state', is: 'done' }]),
    async byKey(account, key) {
      const found = await find([
        { column: 'account', is: account },
        { column: 'purpose', is: key },
      ])
      return found.at(-1)
    },
  }
}

function toRow(transaction: StoredTransaction): Row {
  const { account, nonce, key, state } = transaction
  return { account, nonce, purpose: key, state, body: writeText(transaction) }
}

function toTransaction({ row }: StoredRow): StoredTransaction {
  const read = readText(textOf(row, 'body')) as StoredTransaction
  // A field that is undefined is not written.
  return { ...read, receipt: read.receipt }
}
