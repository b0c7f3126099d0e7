/** Slot proofs of the purse's own slots, made here and now (SPEC §13.5), each bound to where its slot goes. */
import type { LeafTree } from '@byway/protocol/crypto'
import { createLeafTree } from '@byway/protocol/node-ticket'
import { elementOf, proofPath } from '@byway/protocol/ticket'
import { assertSetUpServes, createSlotProver, createZkEngine } from '@byway/zk'
import type { Wallet } from './open-wallet.ts'
import type { WalletSlot } from './slots-of.ts'

/** A slot, and what its proof is bound to. */
export type BoundSlotProof = { readonly slot: WalletSlot; readonly x: bigint }

/** A slot proof under a published root. */
export type SlotProof = { readonly root: Uint8Array; readonly proof: Uint8Array }

/** How they are proved. */
export type SlotProofOptions = {
  readonly signal: AbortSignal
  /** Told of those that are proved so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** Proves each under the newest root, in their order; undefined for a slot that it does not hold yet. @throws what the chain and the prover throw */
export async function proveSlots(
  { chain, pool, payment }: Wallet,
  wanted: readonly BoundSlotProof[],
  { signal, onProgress }: SlotProofOptions,
): Promise<readonly (SlotProof | undefined)[]> {
  if (wanted.length === 0) return []
  const published = await chain.view.newestRoot(signal)
  if (!published) return wanted.map(() => undefined)
  const { root } = published
  const leaves = await chain.view.leaves(0, signal)
  const tree = createLeafTree(leaves.map(({ leaf }) => leaf))
  const size = sizeUnder(elementOf(root), tree)
  await assertSetUpServes(payment.chainId)
  using engine = createZkEngine()
  const prover = createSlotProver(engine)
  const { domain, tag } = pool
  const profile = { domain, tag, unitsPerSlot: BigInt(pool.unitsPerSlot) }
  const proofs: (SlotProof | undefined)[] = []
  for (const [done, { slot, x }] of wanted.entries()) {
    onProgress?.(done, wanted.length)
    const { deposit, number } = slot
    const way = tree.pathOf(deposit.leafIndex, size)
    const { secret } = deposit.owner
    const own = { secret, limit: deposit.limit, j: number }
    const proof =
      way && (await prover.prove({ ...profile, ...own, path: proofPath(way), x }, signal))
    proofs.push(proof && { root, proof })
  }
  onProgress?.(wanted.length, wanted.length)
  return proofs
}

/** How many leaves had this root; all where none did. */
function sizeUnder(root: bigint | undefined, tree: LeafTree): number {
  for (let size = tree.size; size > 0; size--) if (tree.rootAt(size) === root) return size
  return tree.size
}
