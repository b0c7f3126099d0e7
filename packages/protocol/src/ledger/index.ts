/** The double-entry ledger: events of money in, balanced books out. No I/O, no clock. */
export { accountsOf, COMMODITIES } from './accounts.ts'
export type { Account, AccountNature, Accounts, Commodity, Line } from './accounts.ts'
export type { Balance, Balances, CommodityBalances } from './balances.ts'
export { CSV_HEADER, csvRows } from './csv.ts'
export { isMoneyEvent } from './event-fields.ts'
export { decodeMoneyEvent, encodeMoneyEvent } from './event-json.ts'
export type {
  ClientMoneyEvent,
  EventHead,
  LedgerSide,
  MoneyEvent,
  MoneyEventSink,
  NodeMoneyEvent,
  PurseMoneyEvent,
  ServingRole,
  TicketSum,
  TicketUse,
  TokenKindName,
} from './events.ts'
export { createLedger } from './ledger.ts'
export type { Ledger, LedgerOptions, LuckSums, Overdraft, Posting, Rejection } from './ledger.ts'
export { judgeLuck, squareRoot } from './luck.ts'
export type { Luck, LuckInput } from './luck.ts'
export { reconcile } from './reconcile.ts'
export type { Comparison, Found, Reconciliation } from './reconcile.ts'
export { UNIT_BYTES } from './units.ts'
