/**
 * The ledger's events in pages over the control socket: what a running program answers to `ledger N`, and how a command reads all of them.
 */
import {
  decodeMoneyEvent,
  encodeMoneyEvent,
  type LedgerSide,
  type MoneyEvent,
} from '@byway/protocol/ledger'
import type { Store } from '@byway/store'
import { askControl } from '../control/control-socket.ts'
import { controlError } from '../control/control-errors.ts'
import type { JsonObject } from '../output.ts'

/** A page is far below what an answer may hold: an event is at most some 600 bytes. */
const PAGE_EVENTS = 2000

/** Lets a reader from the beginning have what is still being added up: sums are written once a minute, and books without them are partial. */
export function freshPages(
  engine: { flushBooks(): Promise<void> },
  page: (afterSequence: number) => Promise<JsonObject>,
): (afterSequence: number) => Promise<JsonObject> {
  return async (afterSequence) => {
    if (afterSequence === 0) await engine.flushBooks()
    return page(afterSequence)
  }
}

/** The answer to `ledger N`: the events after place N, and the place of the last one when there may be more. */
export async function ledgerPage(
  ledger: Store['ledger'],
  afterSequence: number,
): Promise<JsonObject> {
  const events: string[] = []
  for await (const { sequence, event } of ledger.read(afterSequence)) {
    events.push(encodeMoneyEvent(event))
    if (events.length >= PAGE_EVENTS) return { events, next: sequence }
  }
  return { events, next: null }
}

/**
 * Every event of a running program's ledger, in order; `undefined` for one that this version cannot read.
 * @throws CONTROL_NOT_RUNNING, CONTROL_NO_ANSWER
 */
export async function* askLedger(
  home: string,
  side: LedgerSide,
): AsyncGenerator<MoneyEvent | undefined> {
  let after: unknown = 0
  while (typeof after === 'number') {
    const { events, next } = await askControl(home, side, `ledger ${after}`)
    if (!Array.isArray(events)) throw controlError('CONTROL_NO_ANSWER', { program: side })
    for (const text of events) yield typeof text === 'string' ? decodeMoneyEvent(text) : undefined
    after = next
  }
}
