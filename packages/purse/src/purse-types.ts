/**
 * What a purse does for the engines, whether its keys are in this process (`open-purse.ts`) or in the signer's (`signer/start-signer.ts`). No method takes bytes to be signed as they
 * are: each takes the fields of one known statement, and the purse makes the digest.
 * @module
 */
import type { TransactionSigner } from '@byway/protocol/payment'
import type { PursePast } from './purse-file.ts'

/** Public addresses, 20 bytes each. */
export type PurseAccounts = {
  /** Where a person sends money to, and from which deposits are paid. */
  readonly funds: Uint8Array
  /** Under which the node is registered (SPEC §13.1). */
  readonly provider: Uint8Array
  /** Where earnings go unless something else is said. Its key is not in the purse; undefined for a purse that was restored from a keystore. */
  readonly owner: Uint8Array | undefined
}

/** What a provider promises to whoever sends its batch (SPEC §14.5). */
export type RedeemTerms = {
  readonly kind: 'lock' | 'bind' | 'claim'
  /** SHA-256 of the batch's nullifiers (lock) or ticket digests (bind, claim). */
  readonly items: Uint8Array
  /** For each entry that succeeds, in the token's smallest part; at most 12 % of `V`. */
  readonly fee: bigint
  /** Seconds since 1970, at most 30 days ahead. */
  readonly deadlineS: number
}

/** A provider's consent to be registered (SPEC §14.6). */
export type RegistrationStatement = {
  /** Who sends the registration and may move stake and payout address. */
  readonly owner: Uint8Array
  /** Ed25519 public key of the node, 32 bytes. */
  readonly nodeId: Uint8Array
  /** Where winnings go: an own account, or one of the rules' recipients. */
  readonly payout: Uint8Array
}

/** What a provider commits to, and promises to whoever sends that (SPEC §17.5). */
export type CommitmentStatement = {
  readonly epoch: number
  /** Of the sum tree, 32 bytes. */
  readonly root: Uint8Array
  /** Units under it. */
  readonly total: number
  readonly maxUnits: number
  /** For who sends it, and as much for who settles: the token's smallest part, each at most 12 % of `V`. */
  readonly fee: bigint
}

/** Owns one deposit. Who has its secret can show all of its slots, and take them back; the owner key itself stays in the purse. */
export type DepositOwner = {
  /** A field element (SPEC §13.3). */
  readonly secret: bigint
}

/** Which account of a purse pays for gas. */
export type PayingAccount = 'funds' | 'provider'

/** An open purse. Disposing it overwrites its keys; nothing works after that. Any method may reject with PURSE_LOCKED. */
export interface Purse extends AsyncDisposable {
  readonly accounts: PurseAccounts
  /** Which of its deposits this purse can vouch for. */
  readonly past: PursePast
  /** The owner of the index-th deposit, from 0 on. After lost state the chain tells how many there are: look until some in a row are unknown to it. */
  depositOwner(index: number): Promise<DepositOwner>
  /** The same for deposits that were made to be given away. */
  voucherOwner(index: number): Promise<DepositOwner>
  /** The owners of vouchers that were redeemed into this purse. */
  redeemedOwners(): Promise<readonly DepositOwner[]>
  /** 32 bytes from which the client makes its session keys: a copy, the same after each opening. */
  sessionSecret(): Uint8Array
  /** 32 bytes, the key of the row MACs in the stores: a copy. */
  storeKey(): Uint8Array
  /** Signs transactions of one account within the rules. Rejects with PURSE_REFUSED, or PURSE_NO_RULES for a purse that was opened without. */
  transactionSigner(account: PayingAccount): TransactionSigner
  /** 65 bytes of the provider's key. @throws PURSE_REFUSED, PURSE_NO_RULES */
  signRedeemTerms(terms: RedeemTerms): Promise<Uint8Array>
  /** 65 bytes of the provider's key. @throws PURSE_REFUSED, PURSE_NO_RULES */
  signRegistration(statement: RegistrationStatement): Promise<Uint8Array>
  /** 65 bytes of the provider's key. @throws PURSE_REFUSED, also in a network without service proofs, PURSE_NO_RULES */
  signCommitment(statement: CommitmentStatement): Promise<Uint8Array>
}
