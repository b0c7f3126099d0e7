/** The six verbs of the signer, as data. The same requests go over a pipe to its process, and to the keys in this one. */
import type { Hex, UnsignedTransaction } from '@byway/protocol/payment'
import type { PursePast } from '../purse-file.ts'
import type {
  CommitmentStatement,
  PayingAccount,
  PurseAccounts,
  RedeemTerms,
  RegistrationStatement,
} from '../purse-types.ts'

/** Names the owner of a deposit. */
export type OwnerName = {
  readonly list: 'deposit' | 'voucher' | 'redeemed'
  readonly index: number
}

export type SignerRequest =
  | { readonly verb: 'addresses' }
  | { readonly verb: 'deposit'; readonly owner: OwnerName }
  | {
      readonly verb: 'transaction'
      readonly account: PayingAccount
      readonly transaction: UnsignedTransaction
    }
  | { readonly verb: 'terms'; readonly terms: RedeemTerms }
  | { readonly verb: 'statement'; readonly statement: SignerStatement }
  | { readonly verb: 'lock' }

export type SignerStatement =
  | { readonly kind: 'registration'; readonly registration: RegistrationStatement }
  | { readonly kind: 'commitment'; readonly commitment: CommitmentStatement }

/** What the purse is, told once. */
export type PurseFacts = {
  readonly accounts: PurseAccounts
  readonly past: PursePast
  /** How many vouchers were redeemed into it. */
  readonly redeemed: number
  readonly session: Uint8Array
  readonly store: Uint8Array
}

export type SignerAnswer =
  | { readonly type: 'facts'; readonly facts: PurseFacts }
  | { readonly type: 'secret'; readonly secret: Uint8Array }
  | { readonly type: 'signature'; readonly signature: Uint8Array }
  | { readonly type: 'transaction'; readonly raw: Hex }
  | { readonly type: 'locked' }

/** Asks whoever has the keys. Rejects with a `PurseError`. */
export type AskSigner = (request: SignerRequest) => Promise<SignerAnswer>
