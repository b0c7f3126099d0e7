/** Reading rows. Types of columns are enforced by STRICT tables and the MAC, so a wrong one is a bug here. */
import { assert } from '@byway/protocol/base'
import type { Condition, Row, StoredRow, Submit } from '../operation.ts'

/** Rows asked for at once; larger results come in pages, so that no answer holds the worker for long. */
const PAGE_ROWS = 1000

/** All rows that match. For tables whose matching part is known to be small. */
export async function readAll(
  submit: Submit,
  table: string,
  when: readonly Condition[],
): Promise<readonly StoredRow[]> {
  const all: StoredRow[] = []
  for await (const row of pages(submit, table, when)) all.push(row)
  return all
}

/** Rows that match, one by one, read in pages. */
export async function* pages(
  submit: Submit,
  table: string,
  when: readonly Condition[],
  afterSequence = 0,
): AsyncGenerator<StoredRow> {
  let after = afterSequence
  for (;;) {
    const page = await submit({ verb: 'list', table, when, after, limit: PAGE_ROWS })
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE_ROWS) return
    after = last.sequence
  }
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column]
  assert(value instanceof Uint8Array, `column ${column} holds bytes`)
  return value
}

export function numberOf(row: Row, column: string): number {
  const value = row[column]
  assert(typeof value === 'number', `column ${column} holds a number`)
  return value
}

export function textOf(row: Row, column: string): string {
  const value = row[column]
  assert(typeof value === 'string', `column ${column} holds text`)
  return value
}
