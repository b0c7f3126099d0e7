/**
 * Paying and being paid as step machines (SPEC §15): who counts what, when a payment is due, when service stops. No I/O, no clock, no
 * randomness: the drivers in `client` and `node` bring them.
 * @module
 */
export { createAllowance, MAX_BDP_BYTES } from './allowance.ts'
export type { FlowRate, PaymentSizes } from './allowance.ts'
export type { Allowance, DueVerdict, HopRecord } from './allowance.ts'
export type {
  ChainHead,
  ContractCall,
  DepositLeaf,
  EventPlace,
  Hex,
  PublishedRoot,
  RawTransactionStore,
  Registration,
  SignedForm,
  SlotState,
  SlotWord,
  StoredTransaction,
  TransactionReceipt,
  TransactionSigner,
  UnsignedTransaction,
} from './chain-types.ts'
export { SLOT_STATES } from './chain-types.ts'
export { classWeight, SAME_PRICE, unweighedBytes, weighedBytes } from './class-weight.ts'
export type { ClassWeight } from './class-weight.ts'
export { createCircuitFree, createFreeBucket, createFreePrefixes } from './free-bytes.ts'
export type { FreeBucketOptions, FreeBytes, FreePrefixes } from './free-bytes.ts'
export { createMeter, HOLD_MS } from './meter.ts'
export type { Due, Meter, MeterState } from './meter.ts'
export { createPaddingWatch } from './padding-watch.ts'
export type { PaddingWatch } from './padding-watch.ts'
export { createPayeeSlot, UNLOCKED_BYTES_PER_S } from './payee-slot.ts'
export type { PayeeSlot, PayeeSlotOptions, PayeeTerms, TicketResult } from './payee-slot.ts'
export { createPayerSlot } from './payer-slot.ts'
export type {
  FullVerdict,
  PayerSlot,
  PayerSlotOptions,
  PayerTerms,
  TicketWorth,
} from './payer-slot.ts'
export { createSentTickets } from './sent-tickets.ts'
export type { SentTicket, SentTickets } from './sent-tickets.ts'
export { createReceiptCount, createReceiptLimit, epochOf, receiptStep } from './receipts.ts'
export type {
  ReceiptBody,
  ReceiptCount,
  ReceiptCrypto,
  ReceiptLimit,
  SignedReceipt,
} from './receipts.ts'
export { AgedUnits } from './aged-units.ts'
export type { StoredBalance } from './token-balance.ts'
export { createTokenIssuer } from './token-issuer.ts'
export type {
  BalanceRecords,
  KeySale,
  Sale,
  SlotStanding,
  TokenIssuer,
  TokenIssuerDeps,
} from './token-issuer.ts'
export { createTokenKeyring } from './token-keyring.ts'
export type {
  HonouredKey,
  LapsedKey,
  StoredTokenKey,
  TokenKeyRecords,
  TokenKeyring,
  TokenKeyringDeps,
} from './token-keyring.ts'
export type { KeysVerdict } from './token-offer.ts'
export type { TokenOrder } from './token-plan.ts'
export type { HeldToken } from './token-purchase.ts'
export { TOKENS_AT_ONCE, TOKENS_PER_SECOND, TokenPace } from './token-pace.ts'
export { createTokenRedeemer } from './token-redeemer.ts'
export type { Redemption, SpentTokens, TokenRedeemer, TokenRedeemerDeps } from './token-redeemer.ts'
export type { HeldTokenRecords, TokenCount } from './token-shelf.ts'
export { createTokenStock } from './token-stock.ts'
export type { PurchaseResult, TokenStock, TokenStockDeps } from './token-stock.ts'
export {
  DAY_MS,
  FREE_ADMISSIONS,
  bytesOfToken,
  TOKEN_KINDS,
  tokenKeyId,
  keyDayStartS,
  tokenKeysHash,
  tokenMessage,
  unitsOfToken,
} from './token-terms.ts'
export type { TokenHash } from './token-terms.ts'
