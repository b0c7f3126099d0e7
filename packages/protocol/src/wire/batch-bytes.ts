/**
 * Locks and later wins as the pool's `lock` and `claimMore` take them (SPEC §14.8): each slot once for all its wins that stand together, and nothing that the contract can find
 * by itself.
 *
 * ```text
 * batch of the sender's own      batch with terms
 * offset size field              offset size field
 *      0    1 0                       0    1 1
 *      1    2 n                       1    2 n
 *      3    n slots                   3   20 provider
 *                                    23   12 fee for each entry, u96
 *                                    35    8 deadline, seconds
 *                                    43   65 the provider's signature (SPEC §14.5)
 *                                   108    n slots
 * slot of lock                   slot of claimMore
 *      0   32 nullifier               0   32 nullifier
 *                                    32    1 w, its wins
 *                                    33 129w wins, each a revealed ticket
 * ```
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import { writeAmount } from './amount.ts'
import { ByteWriter } from './byte-writer.ts'
import { CHAIN_ADDRESS_BYTES, FIELD_BYTES, TICKET_SIGNATURE_BYTES } from './opening.ts'
import { TICKET_BYTES, writeTicket, type RevealedTicket } from './revealed-ticket.ts'

/** A later win of a bound slot. */
export type SlotWin = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  readonly ticket: RevealedTicket
}

/** What a provider has promised to whoever sends its batch. */
export type BatchTerms = {
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** For each entry that succeeds. */
  readonly fee: bigint
  readonly deadlineS: number
  /** 65 bytes. */
  readonly signature: Uint8Array
}

/** A batch: with terms, or without where the provider sends it itself. */
export type SlotBatch = {
  /** Of {@link encodeLockSlots} or {@link encodeClaimSlots}. */
  readonly slots: Uint8Array
  readonly terms?: BatchTerms | undefined
}

/** Encodes all that a call takes. @throws WIRE_ENCODE, also for more than 65 535 bytes of slots in a batch */
export function encodeBatches(batches: readonly SlotBatch[]): Uint8Array {
  const size = batches.reduce((sum, batch) => sum + headBytes(batch) + batch.slots.length, 0)
  const writer = new ByteWriter(new Uint8Array(size))
  for (const { slots, terms } of batches) {
    writer.u8(terms ? SIGNED : OWN, 'kind').u16(slots.length, 'slots')
    if (terms) writeTerms(writer, terms)
    writer.raw(slots, 'slots')
  }
  return writer.done()
}

/** The slots of a batch of locks. What its provider signs is the hash of these bytes (SPEC §14.5). @throws WIRE_ENCODE */
export function encodeLockSlots(nullifiers: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(nullifiers.length * FIELD_BYTES))
  for (const nullifier of nullifiers) writer.fixed(nullifier, FIELD_BYTES, 'nullifier')
  return writer.done()
}

/** The same of later wins, at most 255 of a slot that stand together. @throws WIRE_ENCODE */
export function encodeClaimSlots(wins: readonly SlotWin[]): Uint8Array {
  const runs = runsOf(wins)
  const size = runs.length * SLOT_HEAD_BYTES + wins.length * TICKET_BYTES
  const writer = new ByteWriter(new Uint8Array(size))
  for (const { nullifier, tickets } of runs) {
    writer.fixed(nullifier, FIELD_BYTES, 'nullifier').u8(tickets.length, 'wins')
    for (const ticket of tickets) writeTicket(writer, ticket)
  }
  return writer.done()
}

const OWN = 0
const SIGNED = 1
const OWN_HEAD_BYTES = 3
const SIGNED_HEAD_BYTES: number =
  OWN_HEAD_BYTES + CHAIN_ADDRESS_BYTES + 12 + 8 + TICKET_SIGNATURE_BYTES
const SLOT_HEAD_BYTES: number = FIELD_BYTES + 1

function headBytes({ terms }: SlotBatch): number {
  return terms ? SIGNED_HEAD_BYTES : OWN_HEAD_BYTES
}

function writeTerms(writer: ByteWriter, { provider, fee, deadlineS, signature }: BatchTerms): void {
  writeAmount(writer.fixed(provider, CHAIN_ADDRESS_BYTES, 'provider'), fee)
  writer.u64(deadlineS, 'deadline').fixed(signature, TICKET_SIGNATURE_BYTES, 'signature')
}

type Run = { readonly nullifier: Uint8Array; readonly tickets: RevealedTicket[] }

/** Neighbours of one slot together; the order stays. */
function runsOf(wins: readonly SlotWin[]): readonly Run[] {
  const runs: Run[] = []
  for (const { nullifier, ticket } of wins) {
    const last = runs.at(-1)
    if (last && equalBytes(last.nullifier, nullifier)) last.tickets.push(ticket)
    else runs.push({ nullifier, tickets: [ticket] })
  }
  return runs
}
