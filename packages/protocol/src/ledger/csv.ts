/**
 * Entries as CSV (RFC 4180): one row for each line, debit and credit in columns of their own. No cell begins with a sign that a spreadsheet would take for a formula.
 * @module
 */
import type { Line } from './accounts.ts'
import type { MoneyEvent } from './events.ts'

/** The first row. */
export const CSV_HEADER: string = toRow([
  'time',
  'id',
  'event',
  'commodity',
  'account',
  'hop',
  'in',
  'out',
])

/**
 * The rows of one event, each ended by CRLF.
 *
 * @param time - `atMs` in the reader's words, such as ISO 8601
 */
export function csvRows(event: MoneyEvent, lines: readonly Line[], time: string): string {
  return lines
    .filter(({ amount }) => amount !== 0n)
    .map(({ commodity, name, hop = '', amount }) => {
      const [into, out] = amount > 0n ? [amount.toString(), ''] : ['', (-amount).toString()]
      return toRow([time, event.id, event.type, commodity, name, hop, into, out])
    })
    .join('')
}

function toRow(cells: readonly string[]): string {
  return `${cells.map(toCell).join(',')}\r\n`
}

/** An apostrophe before what a spreadsheet would run; quotes where RFC 4180 wants them. */
function toCell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
