/**
 * The way back of a slot to its owner (SPEC §14.4).
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import { bytesOf, hashToElement, u256Bytes } from './field.ts'
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

/** Where a slot that was not won goes. */
export type RefundTerms = Pick<ReturnTerms, 'idc' | 'feeTo'> & {
  /** Of two attempts the later counts, u32. */
  readonly attempt: number
}

/** What a refund's proof is bound to, and what the slot's word keeps of it as its holder, 20 bytes. */
export function refundTo(
  { sha256 }: Pick<TicketCrypto, 'sha256'>,
  { idc, feeTo, attempt }: RefundTerms,
): { readonly x: bigint; readonly holder: Uint8Array } {
  const hash = sha256(
    utf8Bytes('byway refund v1'),
    u256Bytes(idc),
    feeTo,
    bytesOf(BigInt(attempt), 4),
  )
  return { x: hashToElement(hash), holder: hash.slice(0, 20) }
}

/** What the session key signs to have the rest of its bound slot back, 32 bytes: one signature for both steps. */
export function returnDigest(
  crypto: Pick<TicketCrypto, 'sha256'>,
  { chainId, pool }: Pick<Pool, 'chainId' | 'pool'>,
  { nullifier, idc, feeTo }: ReturnTerms,
): Uint8Array {
  const place = [u256Bytes(BigInt(chainId)), pool]
  return crypto.sha256(utf8Bytes('byway return v1'), ...place, nullifier, u256Bytes(idc), feeTo)
}
