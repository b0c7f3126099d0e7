/**
 * A winning ticket with its reveal, as orders (SPEC §15.7) and calls (SPEC §14.8) carry it.
 *
 * ```text
 * offset size field
 *      0    4 index
 *      4   12 amount, u96
 *     16   32 reveal
 *     48   16 nonce
 *     64   65 the session key's signature (SPEC §13.4)
 * ```
 * @module
 */
import { readAmount, writeAmount } from './amount.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { TICKET_SIGNATURE_BYTES } from './opening.ts'
import { COMMIT_BYTES, TICKET_NONCE_BYTES } from './pay-messages.ts'

/** A winning ticket with its reveal. Byte fields have 32, 16 and 65 bytes. */
export type RevealedTicket = {
  readonly index: number
  readonly amount: bigint
  readonly reveal: Uint8Array
  readonly nonce: Uint8Array
  readonly signature: Uint8Array
}

export const TICKET_BYTES: number =
  4 + 12 + COMMIT_BYTES + TICKET_NONCE_BYTES + TICKET_SIGNATURE_BYTES

export function writeTicket(writer: ByteWriter, ticket: RevealedTicket): void {
  writeAmount(writer.u32(ticket.index, 'index'), ticket.amount)
  writer.fixed(ticket.reveal, COMMIT_BYTES, 'reveal')
  writer.fixed(ticket.nonce, TICKET_NONCE_BYTES, 'nonce')
  writer.fixed(ticket.signature, TICKET_SIGNATURE_BYTES, 'signature')
}

export function readTicket(reader: ByteReader): RevealedTicket {
  return {
    index: reader.u32('index'),
    amount: readAmount(reader),
    reveal: reader.copy(COMMIT_BYTES, 'reveal'),
    nonce: reader.copy(TICKET_NONCE_BYTES, 'nonce'),
    signature: reader.copy(TICKET_SIGNATURE_BYTES, 'signature'),
  }
}
