/**
 * The tree that a provider commits to for a week (SPEC §17): a Merkle sum tree of its last receipts, in the order of their nullifiers, in which each node also says where its
 * two sides part. Two leaves with one nullifier cannot both be shown, so that a receipt counts once.
 * @module
 */
import { type AuditNode, EMPTY_NODE, keyOf, leafNode, levelsOver } from './audit-levels.ts'
import { zkError } from './errors.ts'
import type { Receipt } from './receipt.ts'

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
  /** The leaf that this unit, counted from 0, belongs to. @throws ZK_AUDIT for a unit that is none of the tree's */
  find(unit: bigint): AuditPath
}

/**
 * Builds the tree over at most `2^depth` receipts, one for each nullifier. Their signatures are not looked at. Nearly a millisecond a hash, two hashes a receipt; in threads a sixth of that: for more than a few use
 * {@link buildAuditTreeInThreads}.
 *
 * @throws ZK_AUDIT when there are none, too many, or two of one slot
 */
export function buildAuditTree(receipts: readonly Receipt[], depth: number): AuditTree {
  const sorted = sortedForAudit(receipts, depth)
  return auditTreeOf(
    sorted,
    levelsOver(
      sorted.map((receipt) => leafNode(receipt)),
      depth,
    ),
  )
}

/** Receipts as they come: to choose among a hundred thousand at once would hold an event loop up for 45 ms. */
export interface AuditSelection {
  add(receipt: Receipt): void
  /**
   * Those that a tree can hold: of those that share a place, which a client can bring about by choosing nullifiers, the one with the most units, and of too many the ones with the most.
   */
  chosen(): readonly Receipt[]
}

/** An empty one, for a tree of this depth. */
export function createAuditSelection(depth: number): AuditSelection {
  const byKey = new Map<bigint, Receipt>()
  const most = 2 ** depth
  return {
    add(receipt) {
      const known = byKey.get(keyOf(receipt))
      if (!known || known.units < receipt.units) byKey.set(keyOf(receipt), receipt)
    },
    chosen() {
      if (byKey.size <= most) return [...byKey.values()]
      return [...byKey.values()].toSorted((a, b) => compare(b.units, a.units)).slice(0, most)
    },
  }
}

/** The receipts in the order of leaves. @throws ZK_AUDIT */
function sortedForAudit(receipts: readonly Receipt[], depth: number): readonly Receipt[] {
  const steps = sortForAudit(receipts, depth)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

// Local limit (tunable): docs/LIMITS.md.
/** Receipts that are looked at in one step of sorting: two milliseconds. */
const SORT_STEP_RECEIPTS = 4096

/** Brings receipts into the order of leaves in steps of some milliseconds, between which an event loop can turn. @throws ZK_AUDIT */
export function* sortForAudit(
  receipts: readonly Receipt[],
  depth: number,
): Generator<void, readonly Receipt[]> {
  const [count, most] = [receipts.length, 2 ** depth]
  if (count === 0 || count > most) throw zkError('ZK_AUDIT', { receipts: count, most })
  const byKey = new Map<bigint, Receipt>()
  const keys = new BigUint64Array(count)
  for (const [i, receipt] of receipts.entries()) {
    keys[i] = keyOf(receipt)
    byKey.set(keyOf(receipt), receipt)
    if (i % SORT_STEP_RECEIPTS === 0) yield
  }
  if (byKey.size < count) throw zkError('ZK_AUDIT', { receipts: count, most })
  keys.sort()
  const sorted: Receipt[] = []
  for (const [i, key] of keys.entries()) {
    const receipt = byKey.get(key)
    if (receipt) sorted.push(receipt)
    if (i % SORT_STEP_RECEIPTS === 0) yield
  }
  return sorted
}

/** A tree whose nodes are known. */
export function auditTreeOf(
  sorted: readonly Receipt[],
  levels: readonly (readonly AuditNode[])[],
): AuditTree {
  return new Tree(sorted, levels)
}

class Tree implements AuditTree {
  readonly root: bigint
  readonly total: bigint
  readonly #receipts: readonly Receipt[]
  readonly #levels: readonly (readonly AuditNode[])[]
  /** Where each leaf's units end. */
  readonly #ends: readonly bigint[]

  constructor(receipts: readonly Receipt[], levels: readonly (readonly AuditNode[])[]) {
    this.#receipts = receipts
    this.#levels = levels
    const top = levels.at(-1)?.[0] ?? EMPTY_NODE
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
      const sibling = level[index ^ 1] ?? EMPTY_NODE
      const right = isRight ? level[index] : sibling
      index >>= 1
      const { hash: siblingHash, sum: siblingSum } = sibling
      return { isRight, siblingHash, siblingSum, split: (right ?? EMPTY_NODE).least }
    })
    return { receipt, steps }
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
