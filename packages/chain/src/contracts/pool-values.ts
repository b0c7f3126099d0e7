/** Our bytes as the values that viem encodes for the pool. */
import type { Hex } from '@byway/protocol/payment'
import { encodeBatches, encodeClaimSlots, encodeLockSlots } from '@byway/protocol/wire'
import { hexOf, numberOf } from './bytes.ts'
import type {
  BindBatch,
  CallBoundSlot,
  CallDestination,
  CallEvidence,
  CallOpening,
  CallRefund,
  CallRefunding,
  CallSignedTicket,
  CallTerms,
  CallTicket,
  CallUnused,
  ClaimBatch,
  LockBatch,
} from './pool-types.ts'

export type OpeningValue = {
  readonly root: bigint
  readonly nullifier: bigint
  readonly sessionKey: Hex
  readonly receiptKey: Hex
  readonly proof: Hex
}
export type TicketValue = {
  readonly index: number
  readonly amount: bigint
  readonly reveal: Hex
  readonly nonce: Hex
  readonly signature: Hex
}
export type TermsValue = {
  readonly fee: bigint
  readonly deadline: bigint
  readonly signature: Hex
}
export type PartyValue = { readonly provider: Hex; readonly terms: TermsValue }
export type BindBatchValue = PartyValue & {
  readonly openings: readonly OpeningValue[]
  readonly tickets: readonly TicketValue[]
}
export type DestinationValue = {
  readonly idc: bigint
  readonly feeTo: Hex
  readonly signature: Hex
}
export type BoundSlotValue = {
  readonly nullifier: bigint
  readonly provider: Hex
  readonly sessionKey: Hex
}
export type UnusedValue = { readonly root: bigint; readonly nullifier: bigint; readonly proof: Hex }
export type RefundingValue = {
  readonly nullifier: bigint
  readonly idc: bigint
  readonly feeTo: Hex
}
export type RefundValue = RefundingValue & {
  readonly root: bigint
  readonly attempt: number
  readonly proof: Hex
}
export type EvidenceValue = { readonly root: bigint; readonly said: Hex; readonly proof: Hex }
export type SignedTicketValue = {
  readonly provider: Hex
  readonly index: number
  readonly amount: bigint
  readonly commit: Hex
  readonly nonce: Hex
  readonly signature: Hex
}

type Party = { readonly provider: Uint8Array; readonly terms: CallTerms }

/** Whose batch it is, and on what terms. */
export function partyOf(batch: Party): PartyValue {
  const { fee, deadlineS, signature } = batch.terms
  const terms = { fee, deadline: BigInt(deadlineS), signature: hexOf(signature) }
  return { provider: hexOf(batch.provider), terms }
}

export function bindBatchOf(batch: BindBatch): BindBatchValue {
  return {
    ...partyOf(batch),
    openings: batch.binds.map(({ opening }) => openingOf(opening)),
    tickets: batch.binds.map(({ ticket }) => ticketOf(ticket)),
  }
}

/** The bytes of `lock` (SPEC §14.8). @throws WIRE_ENCODE */
export function lockBytesOf(batches: readonly LockBatch[]): Hex {
  return packedOf(batches, ({ nullifiers }) => encodeLockSlots(nullifiers))
}

/** The bytes of `claimMore` (SPEC §14.8). @throws WIRE_ENCODE */
export function claimBytesOf(batches: readonly ClaimBatch[]): Hex {
  return packedOf(batches, ({ claims }) => encodeClaimSlots(claims))
}

function packedOf<Batch extends Party>(
  batches: readonly Batch[],
  slotsOf: (batch: Batch) => Uint8Array,
): Hex {
  const packed = batches.map((batch) => {
    const { provider, terms } = batch
    const isOwn = terms.signature.length === 0
    return { slots: slotsOf(batch), terms: isOwn ? undefined : { provider, ...terms } }
  })
  return hexOf(encodeBatches(packed))
}

export function openingOf(opening: CallOpening): OpeningValue {
  return {
    root: numberOf(opening.root),
    nullifier: numberOf(opening.nullifier),
    sessionKey: hexOf(opening.sessionKey),
    receiptKey: hexOf(opening.receiptKey),
    proof: hexOf(opening.proof),
  }
}

export function destinationOf({ idc, feeTo, signature }: CallDestination): DestinationValue {
  return { idc, feeTo: hexOf(feeTo), signature: hexOf(signature) }
}

export function boundSlotOf(slot: CallBoundSlot): BoundSlotValue {
  return {
    nullifier: numberOf(slot.nullifier),
    provider: hexOf(slot.provider),
    sessionKey: hexOf(slot.sessionKey),
  }
}

export function unusedOf({ root, nullifier, proof }: CallUnused): UnusedValue {
  return { root: numberOf(root), nullifier: numberOf(nullifier), proof: hexOf(proof) }
}

export function refundingOf({ nullifier, idc, feeTo }: CallRefunding): RefundingValue {
  return { nullifier: numberOf(nullifier), idc, feeTo: hexOf(feeTo) }
}

export function refundOf(refund: CallRefund): RefundValue {
  const { root, attempt, proof } = refund
  return { ...refundingOf(refund), root: numberOf(root), attempt, proof: hexOf(proof) }
}

export function evidenceOf({ root, said, proof }: CallEvidence): EvidenceValue {
  return { root: numberOf(root), said: hexOf(said), proof: hexOf(proof) }
}

export function signedTicketOf(ticket: CallSignedTicket): SignedTicketValue {
  const { provider, index, amount, commit, nonce, signature } = ticket
  return {
    provider: hexOf(provider),
    index,
    amount,
    commit: hexOf(commit),
    nonce: hexOf(nonce),
    signature: hexOf(signature),
  }
}

function ticketOf({ index, amount, reveal, nonce, signature }: CallTicket): TicketValue {
  return {
    index,
    amount,
    reveal: hexOf(reveal),
    nonce: hexOf(nonce),
    signature: hexOf(signature),
  }
}
