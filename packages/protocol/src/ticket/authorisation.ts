/**
 * How a slot is authorised (SPEC §13.2): one statement, and somebody who judges proofs of it.
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
  /** True when the proof holds; false for anything else, whatever its bytes. Rejects when it cannot tell now. */
  verify(statement: SlotStatement, proof: Uint8Array): Promise<boolean>
}

/**
 * Judges an opening by itself: whether its root is published and its slot free, only the chain knows.
 *
 * @param domain - the pool's
 * @throws what the verifier rejects with
 */
export async function openingHolds(
  crypto: TicketCrypto,
  verifier: SlotVerifier,
  domain: bigint,
  opening: Opening,
): Promise<boolean> {
  const root = elementOf(opening.root)
  const nullifier = elementOf(opening.nullifier)
  if (root === undefined || nullifier === undefined) return false
  const x = openingX(crypto, opening)
  return await verifier.verify({ root, nullifier, domain, x }, opening.proof)
}
