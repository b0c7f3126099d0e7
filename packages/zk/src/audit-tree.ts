/**
 * The tree that a provider commits to for a week (SPEC §17): a Merkle sum tree of its last receipts, in the order of their nullifiers, in which each node also says where its
 * two sides part. Two leaves with one nullifier cannot both be shown, so that a receipt counts once.
 * @module
 */
import { poseidon5 } from 'poseidon-lite/poseidon5'
import { zkError } from './errors.ts'
import { type Receipt, receiptLeaf } from './receipt.ts'

/** Bits of a nullifier by which leaves are ordered. */
const KEY_BITS = 64n

/** One step from a leaf to the root. */
export type AuditStep = {
  /** The sibling is on the left. */
  readonly isRight: boolean
  readonly siblingHash: bigint
  readonly siblingSum: bigint
  readonly split: bigint
}

/** A leaf and its way up. */
export type AuditPath = { readonly receipt: Receipt; readonly steps: readonly AuditStep[] }

/** A week's receipts. */
export interface AuditTree {
  readonly root: bigint
  /** Units of all leaves. */
  readonly total: bigint
  /** The leaf that this unit, counted from 0, belongs to. */
  find(unit: bigint): AuditPath
}

type Node = { readonly hash: bigint; readonly sum: bigint; readonly least: bigint }

/**
 * Builds the tree over at most `2^depth` receipts, one for each nullifier. Their signatures are not looked at.
 *
 * @throws ZK_AUDIT when there are none, too many, or two of one slot
 */
export function buildAuditTree(receipts: readonly Receipt[], depth: number): AuditTree {
  const sorted = receipts.toSorted((a, b) => compare(keyOf(a), keyOf(b)))
  const size = 2 ** depth
  if (sorted.length === 0 || sorted.length > size)
    throw zkError('ZK_AUDIT', { receipts: sorted.length, most: size })
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1], sorted[i]]
    if (before && after && keyOf(before) === keyOf(after))
      throw zkError('ZK_AUDIT', { receipts: sorted.length, most: size })
  }
  return new Tree(sorted, levelsOver(sorted, depth))
}

class Tree implements AuditTree {
  readonly root: bigint
  readonly total: bigint
  readonly #receipts: readonly Receipt[]
  readonly #levels: readonly (readonly Node[])[]
  /** Where each leaf's units end. */
  readonly #ends: readonly bigint[]

  constructor(receipts: readonly Receipt[], levels: readonly (readonly Node[])[]) {
    this.#receipts = receipts
    this.#levels = levels
    const top = levels.at(-1)?.[0] ?? EMPTY
    this.root = top.hash
    this.total = top.sum
    let end = 0n
    this.#ends = receipts.map(({ units }) => (end += units))
  }

  find(unit: bigint): AuditPath {
    let index = this.#ends.findIndex((end) => unit < end)
    const receipt = this.#receipts[index]
    if (!receipt || unit < 0n)
      throw zkError('ZK_AUDIT', { receipts: this.#receipts.length, most: 0 })
    const steps = this.#levels.slice(0, -1).map((level): AuditStep => {
      const isRight = (index & 1) === 1
      const sibling = level[index ^ 1] ?? EMPTY
      const right = isRight ? level[index] : sibling
      index >>= 1
      const { hash: siblingHash, sum: siblingSum } = sibling
      return { isRight, siblingHash, siblingSum, split: (right ?? EMPTY).least }
    })
    return { receipt, steps }
  }
}

/** What stands where no receipt is: nothing on its left is above it. */
const EMPTY: Node = { hash: 0n, sum: 0n, least: (1n << KEY_BITS) - 1n }

function levelsOver(receipts: readonly Receipt[], depth: number): readonly (readonly Node[])[] {
  let level: readonly Node[] = receipts.map((receipt) => ({
    hash: receiptLeaf(receipt),
    sum: receipt.units,
    least: keyOf(receipt),
  }))
  const levels = [level]
  for (let height = 0; height < depth; height++) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) =>
      nodeOver(level[2 * i] ?? EMPTY, level[2 * i + 1] ?? EMPTY),
    )
    levels.push(level)
  }
  return levels
}

function nodeOver(left: Node, right: Node): Node {
  const hash = poseidon5([left.hash, left.sum, right.least, right.hash, right.sum])
  return { hash, sum: left.sum + right.sum, least: left.least }
}

function keyOf({ nullifier }: Receipt): bigint {
  return nullifier & ((1n << KEY_BITS) - 1n)
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
