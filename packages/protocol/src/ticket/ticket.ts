/**
 * Tickets: what is signed, what a hop commits to, and which one wins (SPEC §13.4). Nothing is drawn from signature bytes, and the
 * client's nonce comes after the commit: neither side can choose its luck.
 * @module
 */
import { assert, concatBytes, equalBytes } from '@byway/protocol/base'
import type { HmacKey, TicketCrypto } from '@byway/protocol/crypto'
import {
  MAX_AMOUNT,
  MAX_TICKET_INDEX,
  type Refusal,
  TICKET_NONCE_BYTES,
  VERDICT,
} from '@byway/protocol/wire'
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
  scope: TicketScope,
  terms: TicketTerms,
): Uint8Array {
  return createTicketDigest(crypto, scope)(terms)
}

/** {@link ticketDigest} for many tickets of one scope: what they share is written once, and no memory taken for each. */
export function createTicketDigest(
  crypto: TicketCrypto,
  { pool, provider, nullifier }: TicketScope,
): (terms: TicketTerms) => Uint8Array {
  const shared = concatBytes(pool.ticketDomain, provider, nullifier)
  const message = new Uint8Array(shared.length + NUMBERS_BYTES + COMMIT_BYTES + TICKET_NONCE_BYTES)
  message.set(shared)
  const numbers = message.subarray(shared.length)
  return ({ index, amount, commit, nonce }) => {
    assert(
      commit.length === COMMIT_BYTES && nonce.length === TICKET_NONCE_BYTES,
      'of their lengths',
    )
    writeIndex(numbers, index)
    writeAmount(numbers, amount)
    numbers.set(commit, NUMBERS_BYTES)
    numbers.set(nonce, NUMBERS_BYTES + COMMIT_BYTES)
    return crypto.sha256(message)
  }
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
  // Nearly every ticket loses by the first bits already.
  const first = BigInt(firstOf(draw))
  if (first * faceValue >= amount << FIRST_BITS) return false
  return numberOf(draw) * faceValue < amount << DRAW_BITS
}

/** The first 48 bits as a number. */
function firstOf(bytes: Uint8Array): number {
  let value = 0
  for (let i = 0; i < FIRST_BYTES; i++) value = 256 * value + bytes[i]!
  return value
}

/** What tickets are checked against. */
export type TicketCheck = TicketScope & {
  /** Of a unit. */
  readonly price: bigint
  /** The session key: an address, 20 bytes. */
  readonly sessionKey: Uint8Array
}

/** A checked ticket, or why it is none. */
export type CheckedTicket =
  | { readonly verdict: typeof VERDICT.OK; readonly units: number; readonly digest: Uint8Array }
  | { readonly verdict: Refusal }

/** Checks amount, then signature. Whether the index may be used, its slot knows. */
export interface TicketChecker {
  check(terms: TicketTerms, signature: Uint8Array): CheckedTicket
}

/** Creates the checker of one slot's tickets. */
export function createTicketChecker(crypto: TicketCrypto, check: TicketCheck): TicketChecker {
  const digestOf = createTicketDigest(crypto, check)
  /** Of which an earlier ticket showed that it has the session key's address: saves a hash. */
  let known: Uint8Array | undefined
  const isSessionKey = (publicKey: Uint8Array): boolean => {
    if (known && equalBytes(known, publicKey)) return true
    if (!equalBytes(crypto.addressOf(publicKey), check.sessionKey)) return false
    known = publicKey
    return true
  }
  return {
    check(terms, signature) {
      const units = unitsOf(check.pool, check.price, terms.amount)
      if (units === undefined) return { verdict: VERDICT.BAD_AMOUNT }
      const digest = digestOf(terms)
      // Not verified against the key known: v would go unseen, the chain refuses another one, and a refusal of a winner alone would tell the client its luck.
      const publicKey = crypto.recover(digest, signature)
      if (!publicKey || !isSessionKey(publicKey)) return { verdict: VERDICT.BAD_SIGNATURE }
      return { verdict: VERDICT.OK, units, digest }
    },
  }
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
const NUMBERS_BYTES: number = INDEX_BYTES + AMOUNT_BYTES

// Protocol constants (change needs a spec change): SPEC §13.4.
const COMMIT_BYTES = 32
const DRAW_BYTES = 20
const DRAW_BITS = 160n

/** As many as a number holds exactly. */
const FIRST_BYTES = 6
const FIRST_BITS = 48n
