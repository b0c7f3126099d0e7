/**
 * Holds the books against what others say: the chain about purse, deposit and slots, the store about wins and tokens. Says where they differ, and what that usually means.
 * @module
 */
import type { Account } from './accounts.ts'
import type { Ledger } from './ledger.ts'

/** Something that somebody else knows about an account. */
export type Found = Account & {
  readonly amount: bigint
  /** Who says so: `chain`, `store`, `counters`. */
  readonly source: 'chain' | 'store' | 'counters'
}

/** One comparison. `difference = found − books`: above zero, the books miss something. */
export type Comparison = Found & { readonly books: bigint; readonly difference: bigint }

/** The whole comparison. */
export type Reconciliation = {
  /** Everything agrees, every commodity sums to zero and no account is overdrawn. */
  readonly isSound: boolean
  readonly compared: readonly Comparison[]
  /** Those that differ. */
  readonly differences: readonly Comparison[]
  /** Names of accounts that fell below zero: an event is missing. */
  readonly overdrafts: readonly Account[]
}

/** Compares the books with what was found. An account of a client that is kept by hop is compared over all hops, unless `hop` is given. */
export function reconcile(ledger: Ledger, found: readonly Found[]): Reconciliation {
  const compared = found.map((one): Comparison => {
    const { commodity, name, hop, amount } = one
    const books =
      hop === undefined ? ledger.balances.total(commodity, name) : ledger.balances.of(one)
    return { ...one, books, difference: amount - books }
  })
  const differences = compared.filter(({ difference }) => difference !== 0n)
  const overdrafts = ledger.overdrafts()
  const sumsToZero = ledger.trialBalance().every(({ sum }) => sum === 0n)
  const isSound = differences.length === 0 && overdrafts.length === 0 && sumsToZero
  return { isSound, compared, differences, overdrafts }
}
