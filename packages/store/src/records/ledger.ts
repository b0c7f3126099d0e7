/**
 * The ledger's events, written once and never changed. What they mean and whether the books balance is the core's (`protocol/ledger`).
 * @module
 */
import type { StoredRow, Submit } from '../operation.ts'
import { numberOf, pages, textOf } from './row.ts'

/** One event as it is kept. */
export type LedgerRecord = {
  /** Makes it idempotent: one id is kept once. */
  readonly id: string
  readonly atMs: number
  /** The event itself as text. Never a destination or a person's address. */
  readonly body: string
}

/** An event with its place in the order of arrival. */
export type StoredLedgerRecord = LedgerRecord & { readonly sequence: number }

export interface LedgerRecords {
  /** Adds an event. An id that is there stays as it is and says `known`. */
  append(record: LedgerRecord): Promise<'new' | 'known'>
  /** Events after a place, in order, in pages. */
  read(afterSequence?: number): AsyncIterable<StoredLedgerRecord>
}

const TABLE = 'ledger'

export function createLedgerRecords(submit: Submit): LedgerRecords {
  return {
    append: ({ id, atMs, body }) =>
      submit({ verb: 'insert', table: TABLE, row: { id, at_ms: atMs, body } }),
    async *read(afterSequence = 0) {
      for await (const row of pages(submit, TABLE, [], afterSequence)) yield toRecord(row)
    },
  }
}

function toRecord({ sequence, row }: StoredRow): StoredLedgerRecord {
  return {
    sequence,
    id: textOf(row, 'id'),
    atMs: numberOf(row, 'at_ms'),
    body: textOf(row, 'body'),
  }
}
