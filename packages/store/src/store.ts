/**
 * What a store is: durable records of money behind promises.
 * @module
 */
import type { BalanceRecords, TokenKeyRecords } from '@byway/protocol/payment'
import type { Submit, SubmitAll } from './operation.ts'
import { createBalanceRecords } from './records/balances.ts'
import { createCommitKeyRecords, type CommitKeyRecords } from './records/commit-keys.ts'
import { createCounterRecords, type CounterRecords } from './records/counters.ts'
import { createExitRecords, type ExitRecords } from './records/exit-records.ts'
import { createHandOverRecords, type HandOverRecords } from './records/hand-overs.ts'
import { createMadeOpeningRecords, type MadeOpeningRecords } from './records/made-openings.ts'
import { createMoneyEventRecords, type MoneyEventRecords } from './records/money-events.ts'
import { createOpeningRecords, type OpeningRecords } from './records/openings.ts'
import { createReceiptRecords, type ReceiptRecords } from './records/receipts.ts'
import { createSlotJournal, type SlotJournalRecords } from './records/slot-journal.ts'
import { createSlotReturnRecords, type SlotReturnRecords } from './records/slot-returns.ts'
import { createSlotWordRecords, type SlotWordRecords } from './records/slot-words.ts'
import { createSpentTokenRecords, type SpentTokenRecords } from './records/spent-tokens.ts'
import { createTokenKeyRecords } from './records/token-keys.ts'
import { createTokenStock, type TokenStock } from './records/token-stock.ts'
import { createTransactionRecords, type TransactionRecords } from './records/transactions.ts'
import { createWinnerRecords, type WinnerRecords } from './records/winners.ts'

/**
 * Everything that can be kept. A promise that resolves means that the disk has it; one that rejects, with a {@link StoreError}, that it was not done.
 * Calls take effect in the order in which they are made.
 */
export type Records = {
  readonly commitKeys: CommitKeyRecords
  readonly openings: OpeningRecords
  readonly winners: WinnerRecords
  readonly spentTokens: SpentTokenRecords
  readonly tokenKeys: TokenKeyRecords
  readonly balances: BalanceRecords
  readonly handOvers: HandOverRecords
  readonly receipts: ReceiptRecords
  readonly slots: SlotJournalRecords
  readonly slotWords: SlotWordRecords
  readonly madeOpenings: MadeOpeningRecords
  readonly returns: SlotReturnRecords
  readonly tokens: TokenStock
  readonly counters: CounterRecords
  readonly ledger: MoneyEventRecords
  readonly transactions: TransactionRecords
  readonly exits: ExitRecords
}

/**
 * `ok`; `full`: the disk is full, so stop accepting paid work: what is under way is still written, into space kept free for it, and the store says `ok` again by
 * itself; `failed`: the disk failed, nothing is written or read any more, the process should end (exit code 74) and be looked after.
 */
export type StoreHealth = 'ok' | 'full' | 'failed'

/** What opening found. */
export type OpeningReport = {
  /** There was no store before. */
  readonly isNew: boolean
  /** Rows that are there and whole. */
  readonly keptRows: number
  /** Rows that were changed behind our back or could be read in part: they are in the side file, not in the store. */
  readonly damagedRows: number
  /** Rows that are gone without a trace. */
  readonly missingRows: number
  /** The newest writes, not yet moved into the main file, were spoiled or gone: how many records that were is not known. */
  readonly isTailLost: boolean
  /** Where damaged rows, or the whole damaged file, were put: a name in the store's folder. */
  readonly sideFiles: readonly string[]
}

/** An open store. One process at a time has it. Disposing writes what waits, then closes. */
export interface Store extends Records, AsyncDisposable {
  readonly report: OpeningReport
  readonly health: StoreHealth
  /**
   * Does several writes, all or none. `run` is called at once and only calls methods of the records it is given; it awaits nothing.
   * Their own promises resolve with the group's; when it rejects they never settle.
   */
  atomically(run: (records: Records) => void): Promise<void>
}

/** Every kind of record over one way of submitting. @param submitSoon - for what may wait for more of its kind */
export function createRecords(
  submit: Submit,
  submitAll: SubmitAll,
  submitSoon: Submit = submit,
): Records {
  return {
    commitKeys: createCommitKeyRecords(submit),
    openings: createOpeningRecords(submit),
    winners: createWinnerRecords(submit),
    spentTokens: createSpentTokenRecords(submit, submitSoon),
    tokenKeys: createTokenKeyRecords(submit, submitAll),
    balances: createBalanceRecords(submit, submitAll),
    handOvers: createHandOverRecords(submit),
    receipts: createReceiptRecords(submit),
    slots: createSlotJournal(submit, submitAll),
    slotWords: createSlotWordRecords(submit),
    madeOpenings: createMadeOpeningRecords(submit),
    returns: createSlotReturnRecords(submit),
    tokens: createTokenStock(submit, submitAll),
    counters: createCounterRecords(submit),
    ledger: createMoneyEventRecords(submit),
    transactions: createTransactionRecords(submit),
    exits: createExitRecords(submit, submitAll),
  }
}
