/**
 * What a purse does for the engines, once its keystore is open. No method takes bytes to be signed as they
 * are: each takes the fields of one known statement, and the purse makes the digest.
 * @module
 */
/** Public addresses, 20 bytes each. */
export type PurseAccounts = {
  /** Where a person sends money to, and from which deposits and stake are paid. */
  readonly funds: Uint8Array
  /** Under which the node is registered (SPEC §13.1). */
  readonly provider: Uint8Array
  /** Where earnings go unless something else is said. Its key is not in the purse; undefined for a purse that was restored from a keystore. */
  readonly owner: Uint8Array | undefined
}

/** What a plain proof says (SPEC §13.3). Field elements travel as 32 bytes. */
export type PlainStatement = {
  readonly root: Uint8Array
  readonly nullifier: Uint8Array
  readonly domain: Uint8Array
  readonly x: Uint8Array
}

/** Owns one deposit. Under the plain authorisation its address, as a number, is the deposit's `secret` (SPEC §13.3). */
export interface DepositOwner {
  /** 20 bytes. */
  readonly address: Uint8Array
  /** 65 bytes `r ‖ s ‖ v` over the digest of SPEC §13.3. */
  signPlainProof(statement: PlainStatement): Promise<Uint8Array>
}

export interface Purse extends AsyncDisposable {
  readonly accounts: PurseAccounts
  /** The owner of the index-th deposit, from 0 on. After lost state the chain tells how many there are: look until some in a row are unknown to it. */
  depositOwner(index: number): Promise<DepositOwner>
  /** The same for deposits that were made to be given away. */
  voucherOwner(index: number): Promise<DepositOwner>
  /** The owners of vouchers that were redeemed into this purse. */
  redeemedOwners(): Promise<readonly DepositOwner[]>
  /** 32 bytes from which the client makes its session keys. The same after each opening; gone for the caller's sake with its copy. */
  sessionSecret(): Uint8Array
  /** 32 bytes: the key of the row MACs in the stores. */
  storeKey(): Uint8Array
}
