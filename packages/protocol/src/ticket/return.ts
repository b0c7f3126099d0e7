/**
 * The way back of a slot to its owner (SPEC §14.4).
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import { u256Bytes } from './field.ts'
import type { Pool } from './pool.ts'

/** Where the rest of a slot goes. */
export type ReturnTerms = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  /** The commitment of the leaf that the contract makes of it. */
  readonly idc: bigint
  /** Who gets a unit for sending it, 20 bytes; zeros for nobody. */
  readonly feeTo: Uint8Array
}

/** What the session key signs to have its slot back, 32 bytes: one signature for both steps of a refund or of a close. */
export function returnDigest(
  crypto: Pick<TicketCrypto, 'sha256'>,
  { chainId, pool }: Pick<Pool, 'chainId' | 'pool'>,
  { nullifier, idc, feeTo }: ReturnTerms,
): Uint8Array {
  const place = [u256Bytes(BigInt(chainId)), pool]
  return crypto.sha256(utf8Bytes('byway return v1'), ...place, nullifier, u256Bytes(idc), feeTo)
}
