/**
 * The nodes of an audit tree (SPEC §17.2), level by level.
 * @module
 */
import { poseidon4 } from 'poseidon-lite/poseidon4'
import { poseidon5 } from 'poseidon-lite/poseidon5'
import { type Receipt, receiptLeaf } from './receipt.ts'

/** A node, or a leaf. */
export type AuditNode = {
  readonly hash: bigint
  /** Units of the leaves under it. */
  readonly sum: bigint
  /** The least key under it. */
  readonly least: bigint
}

/** What a leaf is made of. */
export type AuditLeaf = Pick<Receipt, 'publicKey' | 'nullifier' | 'units'>

const KEY_MASK = (1n << 64n) - 1n

/** What stands where no receipt is: nothing on its left is above it. */
export const EMPTY_NODE: AuditNode = { hash: 0n, sum: 0n, least: KEY_MASK }

/** The part of a nullifier by which leaves are ordered. */
export function keyOf({ nullifier }: Pick<Receipt, 'nullifier'>): bigint {
  return nullifier & KEY_MASK
}

/** Poseidon of four and of five elements: the library's, or a faster one. */
export type AuditHashes = Readonly<Record<'of4' | 'of5', (elements: bigint[]) => bigint>>

const LIBRARY: AuditHashes = { of4: poseidon4, of5: poseidon5 }

/** The leaf of a receipt. */
export function leafNode(receipt: AuditLeaf, { of4 }: AuditHashes = LIBRARY): AuditNode {
  return { hash: receiptLeaf(receipt, of4), sum: receipt.units, least: keyOf(receipt) }
}

/** A level and so many above it, the lowest first. Each has half as many nodes, rounded up. */
export function levelsOver(
  lowest: readonly AuditNode[],
  height: number,
  { of5 }: AuditHashes = LIBRARY,
): AuditNode[][] {
  let level = [...lowest]
  const levels = [level]
  for (let i = 0; i < height; i++) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, at) =>
      nodeOver(level[2 * at] ?? EMPTY_NODE, level[2 * at + 1] ?? EMPTY_NODE, of5),
    )
    levels.push(level)
  }
  return levels
}

function nodeOver(left: AuditNode, right: AuditNode, of5: AuditHashes['of5']): AuditNode {
  const hash = of5([left.hash, left.sum, right.least, right.hash, right.sum])
  return { hash, sum: left.sum + right.sum, least: left.least }
}
