/**
 * What the pool's calls take (SPEC §13, §14), as bytes. Names and sizes are those of contracts/src/IBywayPool.sol: roots, nullifiers, keys of receipts and reveals have 32 bytes,
 * addresses 20, nonces 16, signatures 65.
 * @module
 */

/** What a client showed (SPEC §13.2). */
export type CallOpening = {
  readonly root: Uint8Array
  readonly nullifier: Uint8Array
  readonly sessionKey: Uint8Array
  readonly receiptKey: Uint8Array
  readonly proof: Uint8Array
}

/** A winning ticket with its reveal (SPEC §13.4). */
export type CallTicket = {
  readonly index: number
  readonly amount: bigint
  readonly reveal: Uint8Array
  readonly nonce: Uint8Array
  readonly signature: Uint8Array
}

/** What the provider pays to whoever sends its batch, per entry that succeeds. {@link OWN_TERMS} when it sends itself. */
export type CallTerms = {
  readonly fee: bigint
  readonly deadlineS: number
  readonly signature: Uint8Array
}

/** Of one provider. With {@link OWN_TERMS} it is whoever sends the call. */
export type LockBatch = {
  readonly provider: Uint8Array
  readonly nullifiers: readonly Uint8Array[]
  readonly terms: CallTerms
}

export type BindBatch = {
  readonly provider: Uint8Array
  readonly binds: readonly { readonly opening: CallOpening; readonly ticket: CallTicket }[]
  readonly terms: CallTerms
}

/** A later win of a bound slot. */
export type CallClaim = {
  readonly nullifier: Uint8Array
  readonly ticket: CallTicket
}

/** Of one provider. With {@link OWN_TERMS} it is whoever sends the call. */
export type ClaimBatch = {
  readonly provider: Uint8Array
  readonly claims: readonly CallClaim[]
  readonly terms: CallTerms
}

/** Where a slot goes that was not won: a new leaf of `idc`, and one unit to `feeTo` unless that is zero. */
export type CallRefunding = {
  readonly nullifier: Uint8Array
  readonly idc: bigint
  readonly feeTo: Uint8Array
}

/** The same with its proof. */
export type CallRefund = CallRefunding & {
  readonly root: Uint8Array
  readonly attempt: number
  readonly proof: Uint8Array
}

/** Where the rest of a bound slot goes: as in a refund, signed by the session key. */
export type CallDestination = {
  readonly idc: bigint
  readonly feeTo: Uint8Array
  readonly signature: Uint8Array
}

/** A bound slot and the two that it is bound to. */
export type CallBoundSlot = {
  readonly nullifier: Uint8Array
  readonly provider: Uint8Array
  readonly sessionKey: Uint8Array
}

/** A never-shown slot with its proof for one receiver. */
export type CallUnused = {
  readonly root: Uint8Array
  readonly nullifier: Uint8Array
  readonly proof: Uint8Array
}

/** A slot proof as evidence. */
export type CallEvidence = {
  readonly root: Uint8Array
  /** Whose hash the proof is bound to. */
  readonly said: Uint8Array
  readonly proof: Uint8Array
}

/** A ticket as evidence. */
export type CallSignedTicket = {
  readonly provider: Uint8Array
  readonly index: number
  readonly amount: bigint
  readonly commit: Uint8Array
  readonly nonce: Uint8Array
  readonly signature: Uint8Array
}

/** Terms of a provider that sends its own batch: no fee, no signature. */
export const OWN_TERMS: CallTerms = { fee: 0n, deadlineS: 0, signature: new Uint8Array(0) }
