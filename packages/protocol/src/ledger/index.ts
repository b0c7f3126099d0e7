/** The double-entry ledger: events of money in, balanced books out. */
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
