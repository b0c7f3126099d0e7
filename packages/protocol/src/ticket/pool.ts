/**
 * The pool that a network pays with: its money and its names (SPEC §13.1, §13.2).
 * @module
 */
import { assert, utf8Bytes } from '@byway/protocol/base'
import { ADDRESS_BYTES, type TicketCrypto } from '@byway/protocol/crypto'
import { MAX_AMOUNT, PRICE_STEPS } from '@byway/protocol/wire'
import { hashToElement, u256Bytes } from './field.ts'

/** What the network's file and the contract say alike. Amounts count the token's smallest part. */
export type PoolTerms = {
  readonly chainId: number
  /** The pool contract's address, 20 bytes. */
  readonly pool: Uint8Array
  /** `V`: what a win pays. */
  readonly faceValue: bigint
  /** `K`: the wins of a slot. */
  readonly winsPerSlot: number
  /** `b`: the bond of a slot. */
  readonly bond: bigint
  /** `u`: what a deposit's limit counts, and what a relayer gets. */
  readonly unit: bigint
}

/** A pool with what follows from its terms. */
export type Pool = PoolTerms & {
  /** `S = K·V + b`. */
  readonly slotValue: bigint
  /** `S / u`: what a slot takes of a deposit's limit. */
  readonly unitsPerSlot: number
  /** In every nullifier. */
  readonly domain: bigint
  /** In every ticket; 32 bytes. */
  readonly ticketDomain: Uint8Array
  /** In every leaf. */
  readonly tag: bigint
}

/**
 * Derives a pool from its terms.
 *
 * @throws ASSERTION for terms that no network's file may have (they are checked where the file is read)
 */
export function createPool(crypto: TicketCrypto, terms: PoolTerms): Pool {
  const { chainId, pool, faceValue, winsPerSlot, bond, unit } = terms
  assert(pool.length === ADDRESS_BYTES, 'a contract address has 20 bytes')
  assert(faceValue >= MIN_FACE_VALUE && faceValue <= MAX_AMOUNT, 'V is a u96 of at least 4096')
  assert(winsPerSlot >= 1 && winsPerSlot <= MAX_WINS, 'K is 1 to 32')
  const slotValue = BigInt(winsPerSlot) * faceValue + bond
  assert(bond > 0n && slotValue % bond === 0n, 'a slot is a whole number of bonds')
  assert(unit > 0n && bond % unit === 0n, 'a bond is a whole number of units')
  const unitsPerSlot = Number(slotValue / unit)
  assert(unitsPerSlot <= MAX_LIMIT, 'a deposit of one slot has a limit')
  const place = [u256Bytes(BigInt(chainId)), pool] as const
  const [v, k, b] = [u256Bytes(faceValue), u256Bytes(BigInt(winsPerSlot)), u256Bytes(bond)]
  return {
    ...terms,
    slotValue,
    unitsPerSlot,
    domain: hashToElement(crypto.sha256(utf8Bytes('byway pool v1'), ...place)),
    ticketDomain: crypto.sha256(utf8Bytes('byway ticket v1'), ...place),
    tag: hashToElement(crypto.sha256(utf8Bytes('byway profile v1'), v, k, b)),
  }
}

/** What a unit costs at a price step (SPEC §13.1); 0 is free. */
export function unitPrice(pool: PoolTerms, priceStep: number): bigint {
  return (pool.faceValue * BigInt(PRICE_STEPS[priceStep] ?? 0)) / PRICE_PARTS
}

/** The most units of a slot for which a receipt counts (SPEC §17.1): what its wins pay on average. 0 where units are free. */
export function maxSlotUnits(pool: PoolTerms, price: bigint): number {
  return price === 0n ? 0 : Number((BigInt(pool.winsPerSlot) * pool.faceValue) / price)
}

/** How many units an amount pays for, or undefined for an amount that no ticket may have (SPEC §13.4). */
export function unitsOf(pool: PoolTerms, price: bigint, amount: bigint): number | undefined {
  if (price === 0n || amount <= 0n || amount > pool.faceValue) return undefined
  return amount % price === 0n ? Number(amount / price) : undefined
}

// Protocol constants (change needs a spec change): SPEC §13.1, §15.1.
const PRICE_PARTS = 4096n
/** Below it a step's price would round to nothing. */
const MIN_FACE_VALUE = 4096n
/** What a SLOT_FULL can hold. */
const MAX_WINS = 32
const MAX_LIMIT = 0xffff_ffff
