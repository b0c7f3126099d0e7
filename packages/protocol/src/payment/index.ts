/**
 * Paying and being paid as step machines (SPEC §15): who counts what, when a payment is due, when service stops. No I/O, no clock, no
 * randomness: the drivers in `client` and `node` bring them.
 * @module
 */
export { createAllowance, MAX_BDP_BYTES } from './allowance.ts'
export type { Allowance, DueVerdict } from './allowance.ts'
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
export { createCircuitFree, createFreeBucket, createFreePrefixes } from './free-bytes.ts'
export type { FreeBucketOptions, FreeBytes, FreePrefixes } from './free-bytes.ts'
export { createMeter, HOLD_MS } from './meter.ts'
export type { Due, Meter, MeterState } from './meter.ts'
export { createPaddingWatch } from './padding-watch.ts'
export type { PaddingWatch } from './padding-watch.ts'
