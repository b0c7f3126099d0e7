/**
 * Tickets: what is signed, what a hop commits to, and which one wins (SPEC §13.4). Nothing is drawn from signature bytes, and the
 * client's nonce comes after the commit: neither side can choose its luck.
 * @module
 */
import { assert, concatBytes, equalBytes } from '@byway/protocol/base'
import type { HmacKey, TicketCrypto } from '@byway/protocol/crypto'
import { MAX_AMOUNT, MAX_TICKET_INDEX, type Refusal, VERDICT } from '@byway/protocol/wire'
import { numberOf } from './field.ts'
import { type Pool, unitsOf } from './pool.ts'

/** For whom tickets are, and out of which slot. */
export type TicketScope = {
  readonly pool: Pool
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** 32 bytes. */
  readonly nullifier: Uint8Array
}

/** A ticket without its signature. */
export type TicketTerms = {
  readonly index: number
  readonly amount: bigint
  /** The hop's, for this index; 32 bytes. */
  readonly commit: Uint8Array
  /** The client's, drawn after the commit came; 16 bytes. */
  readonly nonce: Uint8Array
}

/** The 32 bytes that the session key signs, and that enter the draw. */
export function ticketDigest(
  crypto: TicketCrypto,
  { pool, provider, nullifier }: TicketScope,
  { index, amount, commit, nonce }: TicketTerms,
): Uint8Array {
  const numbers = new Uint8Array(INDEX_BYTES + AMOUNT_BYTES)
  writeIndex(numbers, index)
  writeAmount(numbers, amount)
  return crypto.sha256(concatBytes(pool.ticketDomain, provider, nullifier, numbers, commit, nonce))
}

/** `reveal = HMAC(k, nullifier ‖ u32 index)`. @param key - `k`, which only the provider has */
export function revealOf(
  crypto: TicketCrypto,
  key: HmacKey,
  nullifier: Uint8Array,
  index: number,
): Uint8Array {
  const message = new Uint8Array(nullifier.length + INDEX_BYTES)
  message.set(nullifier)
  writeIndex(message.subarray(nullifier.length), index)
  return crypto.hmacSha256(key, message)
}

/** `commit = H(reveal)`. */
export function commitOf(crypto: TicketCrypto, reveal: Uint8Array): Uint8Array {
  return crypto.sha256(reveal)
}

/** True when the ticket wins: with probability `amount / V`, exact to 2^−160. */
export function isWin(
  crypto: TicketCrypto,
  faceValue: bigint,
  amount: bigint,
  reveal: Uint8Array,
  digest: Uint8Array,
): boolean {
  const draw = crypto.sha256(concatBytes(reveal, digest)).subarray(0, DRAW_BYTES)
  return numberOf(draw) * faceValue < amount << DRAW_BITS
}

/** What a ticket is checked against. */
export type TicketCheck = TicketScope & {
  /** Of a unit. */
  readonly price: bigint
  /** The session key: an address, 20 bytes. */
  readonly sessionKey: Uint8Array
  /** The public key of which an earlier ticket showed that it has this address: saves a hash. */
  readonly publicKey?: Uint8Array | undefined
}

/** A checked ticket, or why it is none. */
export type CheckedTicket =
  | {
      readonly verdict: typeof VERDICT.OK
      readonly units: number
      readonly digest: Uint8Array
      /** The session key's, 64 bytes. */
      readonly publicKey: Uint8Array
    }
  | { readonly verdict: Refusal }

/** Checks amount, then signature. Whether the index may be used, its slot knows. */
export function checkTicket(
  crypto: TicketCrypto,
  check: TicketCheck,
  terms: TicketTerms,
  signature: Uint8Array,
): CheckedTicket {
  const units = unitsOf(check.pool, check.price, terms.amount)
  if (units === undefined) return { verdict: VERDICT.BAD_AMOUNT }
  const digest = ticketDigest(crypto, check, terms)
  const publicKey = crypto.recover(digest, signature)
  if (!publicKey || !isSessionKey(crypto, check, publicKey)) {
    return { verdict: VERDICT.BAD_SIGNATURE }
  }
  return { verdict: VERDICT.OK, units, digest, publicKey }
}

function isSessionKey(crypto: TicketCrypto, check: TicketCheck, publicKey: Uint8Array): boolean {
  if (check.publicKey && equalBytes(check.publicKey, publicKey)) return true
  return equalBytes(crypto.addressOf(publicKey), check.sessionKey)
}

function writeIndex(bytes: Uint8Array, index: number): void {
  assert(Number.isInteger(index) && index >= 0 && index <= MAX_TICKET_INDEX, 'an index is a u32')
  for (let i = 0; i < INDEX_BYTES; i++) bytes[i] = index >>> (24 - 8 * i)
}

/** By 32 bits: a number for each of twelve bytes costs more than the hash over them. */
function writeAmount(bytes: Uint8Array, amount: bigint): void {
  assert(amount >= 0n && amount <= MAX_AMOUNT, 'an amount is a u96')
  for (let word = 0; word < 3; word++) {
    const value = Number((amount >> BigInt(64 - 32 * word)) & 0xffff_ffffn)
    const at = INDEX_BYTES + 4 * word
    for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (24 - 8 * i)
  }
}

const INDEX_BYTES = 4
const AMOUNT_BYTES = 12

// Protocol constants (change needs a spec change): SPEC §13.4.
const DRAW_BYTES = 20
const DRAW_BITS = 160n
