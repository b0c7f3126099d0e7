/**
 * What leaves hold beyond whole slots, and what it takes to join it (SPEC §14.4, §14.6).
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import type { Poseidon, TicketCrypto } from '@byway/protocol/crypto'
import { hashToElement, u256Bytes } from './field.ts'
import type { Pool } from './pool.ts'

// Protocol constants (change needs a spec change): SPEC §14.6.
/** Units that whoever sends a joining gets of it. */
export const JOIN_FEE_UNITS = 2
/** Units of a leaf at most. */
export const MAX_LEAF_UNITS = 65_535

/** What becomes of several rests. */
export type JoinTerms = {
  /** The commitment of the leaf that the contract makes of them. */
  readonly idc: bigint
  /** Who gets {@link JOIN_FEE_UNITS} for sending it, 20 bytes; zeros for nobody. */
  readonly feeTo: Uint8Array
}

/** Units of a leaf that make no slot: of one smaller than a slot, all of them. */
export function restUnits({ unitsPerSlot }: Pick<Pool, 'unitsPerSlot'>, limit: number): number {
  return limit % unitsPerSlot
}

/** Names them. */
export function restNullifier(crypto: Poseidon & Hash, secret: bigint): bigint {
  return crypto.poseidon3(secret, hashToElement(crypto.sha256(utf8Bytes('byway rest v1'))), 0n)
}

/** `x`: what a join proof is bound to. */
export function joinX(
  crypto: Hash,
  { chainId, pool }: Pick<Pool, 'chainId' | 'pool'>,
  { idc, feeTo }: JoinTerms,
): bigint {
  const place = [u256Bytes(BigInt(chainId)), pool]
  const digest = crypto.sha256(utf8Bytes('byway join v1'), ...place, u256Bytes(idc), feeTo)
  return hashToElement(digest)
}

type Hash = Pick<TicketCrypto, 'sha256'>
