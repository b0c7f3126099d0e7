/**
 * Tickets: what they pay for, what they say, when they win, and the slots behind them (SPEC §13). Pure: no I/O, no clock, no randomness.
 * @module
 */
export { openingHolds } from './authorisation.ts'
export type { SlotStatement, SlotVerifier } from './authorisation.ts'
export { bytesOf, elementOf, numberOf, u256Bytes } from './field.ts'
export { JOIN_FEE_UNITS, joinX, MAX_LEAF_UNITS, restNullifier, restUnits } from './joining.ts'
export type { JoinTerms } from './joining.ts'
export { createPool, maxSlotUnits, unitPrice, unitsOf } from './pool.ts'
export type { Pool, PoolTerms } from './pool.ts'
export { refundTo, returnDigest } from './return.ts'
export type { RefundTerms, ReturnTerms } from './return.ts'
export {
  depositLeaf,
  depositSecret,
  identityCommitment,
  openingSaid,
  openingX,
  proofPath,
  rootOf,
  slotCount,
  slotNullifier,
  withdrawalX,
} from './slot.ts'
export {
  commitOf,
  createTicketChecker,
  createTicketDigest,
  isWin,
  revealOf,
  ticketDigest,
} from './ticket.ts'
export type {
  CheckedTicket,
  TicketCheck,
  TicketChecker,
  TicketScope,
  TicketTerms,
} from './ticket.ts'
export { BULK_TOKEN_UNITS, TOKEN_UNITS, UNIT_BYTES } from './units.ts'
