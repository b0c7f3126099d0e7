export { storeError } from './errors.ts'
export type { StoreError } from './errors.ts'
export { openStore } from './open-store.ts'
export type { StoreOptions } from './open-store.ts'
export type { OpeningReport, Records, Store, StoreHealth } from './store.ts'
export type { CommitKey, CommitKeyRecords } from './records/commit-keys.ts'
export type { CounterRecords } from './records/counters.ts'
export type { ExitRecords, ExitSeal, KeptExit } from './records/exit-records.ts'
export type {
  HandOver,
  HandOverRecords,
  HandOverSide,
  HandOverState,
} from './records/hand-overs.ts'
export type { MadeOpeningRecords } from './records/made-openings.ts'
export type { MoneyEventRecords, StoredMoneyEvent } from './records/money-events.ts'
export type { OpeningRecords, ShownOpening } from './records/openings.ts'
export type { PlacedReceipt, ReceiptRecords, StoredReceipt } from './records/receipts.ts'
export type { JournalSlot, SlotJournalRecords } from './records/slot-journal.ts'
export type { SlotReturnRecords, StoredReturn } from './records/slot-returns.ts'
export type { SlotWordRecords, StoredSlotWord } from './records/slot-words.ts'
export type { SpentTokenRecords } from './records/spent-tokens.ts'
export type { TokenStock } from './records/token-stock.ts'
export type {
  LossReason,
  StoredWinner,
  Winner,
  WinnerId,
  WinnerRecords,
  WinnerState,
  WinnerStep,
} from './records/winners.ts'
