/**
 * Signed claims, and steps of service proofs, as a provider leaves them with a redeemer (SPEC §15.7).
 *
 * ```text
 * offset size field
 *      0    1 kind: 1 lock, 2 bind, 3 claim; 4 commit, 5 answer, 6 settle (`proof-entries.ts`)
 *      1   20 provider
 *     21   12 fee for each entry, u96
 *     33    8 deadline, seconds
 *     41   65 the provider's signature (SPEC §14.5, of a commit §17.5; zeros where there is none)
 *    106    1 n, entries, 1 to 16; 1 for a step of a service proof
 *    107      entries
 *
 * lock   nullifier[32]
 * bind   opening ‖ ticket
 * claim  nullifier[32] ‖ ticket
 * ticket u32 index ‖ u96 amount ‖ reveal[32] ‖ nonce[16] ‖ signature[65]
 * ```
 * @module
 */
import { readAmount, writeAmount } from './amount.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import {
  CHAIN_ADDRESS_BYTES,
  FIELD_BYTES,
  openingBytes,
  readOpening,
  writeOpening,
  type Opening,
  TICKET_SIGNATURE_BYTES,
} from './opening.ts'
import {
  PROOF_ORDER_KIND,
  type ProofEntries,
  proofEntriesBytes,
  readProofEntries,
  writeProofEntries,
} from './proof-entries.ts'
import { readTicket, TICKET_BYTES, writeTicket, type RevealedTicket } from './revealed-ticket.ts'

/** SPEC §15.7. */
export const MAX_REDEEM_ENTRIES = 16
/** SPEC §15.7: an order fits one cell. */
export const MAX_REDEEM_BYTES = 15_360

/** SPEC §14.5, §15.7. */
export const REDEEM_KIND: {
  readonly LOCK: 1
  readonly BIND: 2
  readonly CLAIM: 3
} & typeof PROOF_ORDER_KIND = { LOCK: 1, BIND: 2, CLAIM: 3, ...PROOF_ORDER_KIND }

/** What is to be sent. */
export type RedeemEntries = WinEntries | ProofEntries

/** Of wins. */
export type WinEntries =
  | { readonly kind: (typeof REDEEM_KIND)['LOCK']; readonly nullifiers: readonly Uint8Array[] }
  | {
      readonly kind: (typeof REDEEM_KIND)['BIND']
      readonly binds: readonly { readonly opening: Opening; readonly ticket: RevealedTicket }[]
    }
  | {
      readonly kind: (typeof REDEEM_KIND)['CLAIM']
      readonly claims: readonly {
        readonly nullifier: Uint8Array
        readonly ticket: RevealedTicket
      }[]
    }

/** A decoded order; every byte field is a copy. */
export type RedeemOrder = {
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** For each entry that succeeds; of a commit what it promises (SPEC §17.5), 0 for an answer and a settle. */
  readonly fee: bigint
  readonly deadlineS: number
  /** 65 bytes, over the digest of SPEC §14.5 or, of a commit, §17.5; zeros for an answer and a settle. */
  readonly signature: Uint8Array
  readonly entries: RedeemEntries
}

/** Encodes an order. @throws WIRE_ENCODE, also for one that is longer than {@link MAX_REDEEM_BYTES} */
export function encodeRedeemOrder(order: RedeemOrder): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(redeemOrderBytes(order.entries)))
  writer.u8(order.entries.kind, 'kind').fixed(order.provider, CHAIN_ADDRESS_BYTES, 'provider')
  writeAmount(writer, order.fee).u64(order.deadlineS, 'deadline')
  writer.fixed(order.signature, TICKET_SIGNATURE_BYTES, 'signature')
  writeEntries(writer, order.entries)
  return writer.done()
}

/** Bytes of an order with these entries. @throws WIRE_ENCODE when they are none, or too many or too long for one */
export function redeemOrderBytes(entries: RedeemEntries): number {
  const count = countOf(entries)
  const bytes = HEADER_BYTES + entriesBytes(entries)
  if (count === 0 || count > MAX_REDEEM_ENTRIES || bytes > MAX_REDEEM_BYTES)
    throw wireError('WIRE_ENCODE', { field: 'entries' })
  return bytes
}

/** Bytes that one bind takes, for whoever fills an order. */
export function redeemBindBytes(opening: Opening): number {
  return openingBytes(opening) + TICKET_BYTES
}

/** Decodes an order. @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeRedeemOrder(bytes: Uint8Array): RedeemOrder {
  const reader = new ByteReader(bytes)
  const kind = reader.u8('kind')
  const provider = reader.copy(CHAIN_ADDRESS_BYTES, 'provider')
  const fee = readAmount(reader)
  const deadlineS = reader.u64('deadline')
  const signature = reader.copy(TICKET_SIGNATURE_BYTES, 'signature')
  const count = reader.u8('entries')
  const most = isProofKind(kind) ? 1 : MAX_REDEEM_ENTRIES
  if (count === 0 || count > most) throw wireError('WIRE_VALUE', { field: 'entries', value: count })
  const entries = readEntries(reader, kind, count)
  reader.end('redeemOrder')
  return { provider, fee, deadlineS, signature, entries }
}

const HEADER_BYTES = 1 + CHAIN_ADDRESS_BYTES + 12 + 8 + TICKET_SIGNATURE_BYTES + 1

/** Whether an order is a step of a service proof. */
export function isProofEntries(entries: RedeemEntries): entries is ProofEntries {
  return isProofKind(entries.kind)
}

function isProofKind(kind: number): kind is ProofEntries['kind'] {
  return Object.values<number>(PROOF_ORDER_KIND).includes(kind)
}

function countOf(entries: RedeemEntries): number {
  if (isProofEntries(entries)) return 1
  if (entries.kind === REDEEM_KIND.LOCK) return entries.nullifiers.length
  return entries.kind === REDEEM_KIND.BIND ? entries.binds.length : entries.claims.length
}

function entriesBytes(entries: RedeemEntries): number {
  if (isProofEntries(entries)) return proofEntriesBytes(entries)
  switch (entries.kind) {
    case REDEEM_KIND.LOCK:
      return FIELD_BYTES * entries.nullifiers.length
    case REDEEM_KIND.BIND:
      return entries.binds.reduce((sum, { opening }) => sum + redeemBindBytes(opening), 0)
    case REDEEM_KIND.CLAIM:
      return (FIELD_BYTES + TICKET_BYTES) * entries.claims.length
  }
}

function writeEntries(writer: ByteWriter, entries: RedeemEntries): void {
  writer.u8(countOf(entries), 'entries')
  if (isProofEntries(entries)) return writeProofEntries(writer, entries)
  switch (entries.kind) {
    case REDEEM_KIND.LOCK:
      for (const nullifier of entries.nullifiers) writer.fixed(nullifier, FIELD_BYTES, 'nullifier')
      break
    case REDEEM_KIND.BIND:
      for (const { opening, ticket } of entries.binds)
        writeTicket(writeOpening(writer, opening), ticket)
      break
    case REDEEM_KIND.CLAIM:
      for (const { nullifier, ticket } of entries.claims)
        writeTicket(writer.fixed(nullifier, FIELD_BYTES, 'nullifier'), ticket)
      break
  }
}

function readEntries(reader: ByteReader, kind: number, count: number): RedeemEntries {
  const each = <Entry>(read: () => Entry): readonly Entry[] => Array.from({ length: count }, read)
  const readNullifier = (): Uint8Array => reader.copy(FIELD_BYTES, 'nullifier')
  if (isProofKind(kind)) return readProofEntries(reader, kind)
  switch (kind) {
    case REDEEM_KIND.LOCK:
      return { kind, nullifiers: each(readNullifier) }
    case REDEEM_KIND.BIND:
      return {
        kind,
        binds: each(() => ({ opening: readOpening(reader), ticket: readTicket(reader) })),
      }
    case REDEEM_KIND.CLAIM:
      return {
        kind,
        claims: each(() => ({ nullifier: readNullifier(), ticket: readTicket(reader) })),
      }
    default:
      throw wireError('WIRE_VALUE', { field: 'redeemKind', value: kind })
  }
}
