/** Where the events of a state folder's books come from: the program that runs with it, or the store itself. */
import { isBywayError } from '@byway/protocol/base'
import {
  createLedger,
  isMoneyEvent,
  type Ledger,
  type LedgerSide,
  type Line,
  type MoneyEvent,
  type Rejection,
} from '@byway/protocol/ledger'
import { hasOwnStore, openOwnStore } from '../engine/own-store.ts'
import { askLedger } from './ledger-page.ts'
import { walletGas } from './wallet-gas.ts'

/** Books that were read to the end. */
export type ReadBooks = {
  readonly ledger: Ledger
  /** Whether the program was running. */
  readonly isLive: boolean
  /** Events that this version cannot read. */
  readonly unreadable: number
  /** Events that did not fit the books, by the reason. */
  readonly rejected: Readonly<Partial<Record<Rejection, number>>>
}

/** Told each event as it is posted. */
export type OnPosted = (event: MoneyEvent, lines: readonly Line[]) => void

/**
 * Reads the books of one side; `undefined` when there are none.
 *
 * @param sinceMs - where the period begins
 * @throws what the control socket and the store throw
 */
export async function readBooks(
  home: string,
  side: LedgerSide,
  sinceMs: number,
  onPosted: OnPosted,
): Promise<ReadBooks | undefined> {
  const ledger = createLedger(side, { sinceMs })
  try {
    const events = followedBy(askLedger(home, side), await walletGas(home, side))
    return { ledger, isLive: true, ...(await postAll(ledger, events, onPosted)) }
  } catch (error) {
    if (!isBywayError(error) || error.code !== 'CONTROL_NOT_RUNNING') throw error
  }
  if (!(await hasOwnStore(home, side))) return undefined
  await using store = await openOwnStore(home, side)
  const events = followedBy(eventsIn(store.ledger.read()), await walletGas(home, side))
  return { ledger, isLive: false, ...(await postAll(ledger, events, onPosted)) }
}

async function postAll(
  ledger: Ledger,
  events: AsyncIterable<MoneyEvent | undefined>,
  onPosted: OnPosted,
): Promise<Pick<ReadBooks, 'unreadable' | 'rejected'>> {
  let unreadable = 0
  const rejected: Partial<Record<Rejection, number>> = {}
  for await (const event of events) {
    if (!event) {
      unreadable++
      continue
    }
    const posting = ledger.post(event)
    if (posting.type === 'posted') onPosted(event, posting.lines)
    if (posting.type === 'rejected') {
      rejected[posting.reason] = (rejected[posting.reason] ?? 0) + 1
    }
  }
  return { unreadable, rejected }
}

/** The engine's events, then those of commands. */
async function* followedBy(
  events: AsyncIterable<MoneyEvent | undefined>,
  more: readonly MoneyEvent[],
): AsyncGenerator<MoneyEvent | undefined> {
  yield* events
  yield* more
}

async function* eventsIn(
  stored: AsyncIterable<{ readonly event: MoneyEvent }>,
): AsyncGenerator<MoneyEvent | undefined> {
  for await (const { event } of stored) yield isMoneyEvent(event) ? event : undefined
}
