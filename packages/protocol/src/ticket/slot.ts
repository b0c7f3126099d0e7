/**
 * Deposits and their slots: leaf, nullifier, and what an opening's proof is bound to (SPEC §13.2).
 * @module
 */
import { concatBytes, assert, utf8Bytes } from '@byway/protocol/base'
import type { Poseidon, TicketCrypto, TreePath } from '@byway/protocol/crypto'
import type { Opening } from '@byway/protocol/wire'
import { hashToElement } from './field.ts'
import type { Pool } from './pool.ts'

/**
 * The secret of a deposit: who has it can show all slots of it, and take them back. Made of a key of 32 bytes, so that purse and voucher need to keep no other one
 * (SPEC §13.3).
 */
export function depositSecret(hash: Pick<TicketCrypto, 'sha256'>, ownerKey: Uint8Array): bigint {
  assert(ownerKey.length === OWNER_KEY_BYTES, 'an owner key has 32 bytes')
  return hashToElement(hash.sha256(utf8Bytes('byway deposit v1'), ownerKey))
}

const OWNER_KEY_BYTES = 32

/** `idc = Poseidon1(secret)`: under what name a deposit stands. */
export function identityCommitment(poseidon: Poseidon, secret: bigint): bigint {
  return poseidon.poseidon1(secret)
}

/** The leaf of a deposit of `limit` units. */
export function depositLeaf(poseidon: Poseidon, pool: Pool, idc: bigint, limit: number): bigint {
  return poseidon.poseidon3(idc, BigInt(limit), pool.tag)
}

/** The nullifier of slot `slot` of the deposit with this secret. */
export function slotNullifier(
  poseidon: Poseidon,
  pool: Pool,
  secret: bigint,
  slot: number,
): bigint {
  return poseidon.poseidon3(secret, pool.domain, BigInt(slot))
}

/** How many slots a deposit of `limit` units has. */
export function slotCount(pool: Pool, limit: number): number {
  return Math.floor(limit / pool.unitsPerSlot)
}

/** What an opening's proof says besides its slot, 65 bytes: as evidence it is shown whole. */
export function openingSaid({
  sessionKey,
  receiptKey,
}: Pick<Opening, 'sessionKey' | 'receiptKey'>): Uint8Array {
  return concatBytes(utf8Bytes('byway slot v1'), sessionKey, receiptKey)
}

/** `x`: what a proof is bound to, so that nobody else shows it with a key of theirs. */
export function openingX(
  crypto: TicketCrypto,
  opening: Pick<Opening, 'sessionKey' | 'receiptKey'>,
): bigint {
  return hashToElement(crypto.sha256(openingSaid(opening)))
}

/** The same for taking back a slot that was never shown: bound to who is paid (SPEC §14.4). @param to - 20 bytes */
export function withdrawalX(crypto: TicketCrypto, to: Uint8Array, feeTo?: Uint8Array): bigint {
  return hashToElement(crypto.sha256(utf8Bytes('byway withdraw v1'), to, ...(feeTo ? [feeTo] : [])))
}

/** A path as the slot program takes it, from the leaf upwards. */
export function proofPath({
  pathBits,
  siblings,
}: TreePath): readonly { readonly sibling: bigint; readonly isLeft: boolean }[] {
  return siblings.map((sibling, step) => ({ sibling, isLeft: ((pathBits >>> step) & 1) === 1 }))
}

/** The root that a leaf has by a path of at most 26 steps. */
export function rootOf(poseidon: Poseidon, leaf: bigint, { pathBits, siblings }: TreePath): bigint {
  let node = leaf
  for (const [step, sibling] of siblings.entries()) {
    const isSiblingLeft = ((pathBits >>> step) & 1) === 1
    node = isSiblingLeft ? poseidon.poseidon2(sibling, node) : poseidon.poseidon2(node, sibling)
  }
  return node
}
