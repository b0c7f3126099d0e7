/**
 * The ledger's events, written once and never changed. What they mean and whether the books balance is the core's (`protocol/ledger`).
 * @module
 */
import type { MoneyEvent, MoneyEventSink } from '@byway/protocol/ledger'
import type { StoredRow, Submit } from '../operation.ts'
import { numberOf, pages, textOf } from './row.ts'
import { readText, writeText } from './text-form.ts'

/** An event with its place in the order of arrival. */
export type StoredMoneyEvent = { readonly sequence: number; readonly event: MoneyEvent }

export interface MoneyEventRecords extends MoneyEventSink {
  /** Events after a place, in order, in pages. */
  read(afterSequence?: number): AsyncIterable<StoredMoneyEvent>
}

const TABLE = 'ledger'

export function createMoneyEventRecords(submit: Submit): MoneyEventRecords {
  return {
    async record(event) {
      const { id, atMs, ...body } = event
      await submit({
        verb: 'insert',
        table: TABLE,
        row: { id, at_ms: atMs, body: writeText(body) },
      })
    },
    async *read(afterSequence = 0) {
      for await (const row of pages(submit, TABLE, [], afterSequence))
        yield { sequence: row.sequence, event: toEvent(row) }
    },
  }
}

function toEvent({ row }: StoredRow): MoneyEvent {
  const head = { id: textOf(row, 'id'), atMs: numberOf(row, 'at_ms') }
  return Object.assign(head, readText(textOf(row, 'body'))) as MoneyEvent
}
