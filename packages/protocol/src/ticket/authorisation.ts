/**
 * How a slot is authorised: one statement, several ways to prove it (SPEC §13.2). The plain way of plain-authorisation.ts is for
 * development; slot proofs in zero knowledge take its place without a change to anything else.
 * @module
 */
import type { TicketCrypto } from '@byway/protocol/crypto'
import type { Opening } from '@byway/protocol/wire'
import { elementOf } from './field.ts'
import { openingX } from './slot.ts'

/** What a proof says: a leaf under `root` has a slot with this nullifier in this domain, and its owner is bound to `x`. */
export type SlotStatement = {
  readonly root: bigint
  readonly nullifier: bigint
  readonly domain: bigint
  readonly x: bigint
}

/** Judges proofs: the same function as the chain's `verify(root, nullifier, domain, x, proof)`. */
export interface SlotVerifier {
  /** True when the proof holds; false for anything else, whatever its bytes. */
  verify(statement: SlotStatement, proof: Uint8Array): boolean
}

/**
 * Judges an opening by itself: whether its root is published and its slot free, only the chain knows.
 *
 * @param domain - the pool's
 */
export function openingHolds(
  crypto: TicketCrypto,
  verifier: SlotVerifier,
  domain: bigint,
  opening: Opening,
): boolean {
  const root = elementOf(opening.root)
  const nullifier = elementOf(opening.nullifier)
  if (root === undefined || nullifier === undefined) return false
  const x = openingX(crypto, opening)
  return verifier.verify({ root, nullifier, domain, x }, opening.proof)
}
