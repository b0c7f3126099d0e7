/** Slot proofs that are bound to a receiver (SPEC §13.5, §14.4), and how the client's journal knows of them: a slot has them for one receiver, and for no other ever. */
import { nodeKeyOf } from '@byway/protocol/directory'
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { LeafTree } from '@byway/protocol/crypto'
import { elementOf, proofPath, withdrawalX } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import type { JournalSlot } from '@byway/store'
import { assertSetUpServes, createSlotProver, createZkEngine } from '@byway/zk'
import type { Wallet } from './open-wallet.ts'
import type { WalletSlot } from './slots-of.ts'

/** A slot, and who is to have it, 20 bytes. */
export type WantedProof = { readonly slot: WalletSlot; readonly to: Uint8Array }

/** How they are proved. */
export type WithdrawalProofOptions = {
  readonly signal: AbortSignal
  /** Told of those that are proved so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** Proves each under the newest root; what that does not hold yet is left out. @throws what the chain and the prover throw */
export async function proveWithdrawals(
  { chain, pool, payment }: Wallet,
  wanted: readonly WantedProof[],
  { signal, onProgress }: WithdrawalProofOptions,
): Promise<readonly Opening[]> {
  if (wanted.length === 0) return []
  const published = await chain.view.newestRoot(signal)
  if (!published) return []
  const { root } = published
  const leaves = await chain.view.leaves(0, signal)
  const tree = createLeafTree(leaves.map(({ leaf }) => leaf))
  const size = sizeUnder(elementOf(root), tree)
  await assertSetUpServes(payment.chainId)
  using engine = createZkEngine()
  const prover = createSlotProver(engine)
  const { domain, tag } = pool
  const profile = { domain, tag, unitsPerSlot: BigInt(pool.unitsPerSlot) }
  const openings: Opening[] = []
  for (const [done, { slot, to }] of wanted.entries()) {
    onProgress?.(done, wanted.length)
    const { deposit, number, nullifier } = slot
    const way = tree.pathOf(deposit.leafIndex, size)
    if (!way) continue
    const { secret } = deposit.owner
    const path = proofPath(way)
    const x = withdrawalX(nodeTicketCrypto, to)
    const witness = { ...profile, secret, limit: deposit.limit, j: number, path, x }
    const proof = await prover.prove(witness, signal)
    // In the journal the receiver stands where a session key would: no hop is ever shown this.
    openings.push({ root, nullifier, sessionKey: to, receiptKey: new Uint8Array(32), proof })
  }
  onProgress?.(wanted.length, wanted.length)
  return openings
}

/** What the journal has of a slot that was asked for from the own account. */
export function withdrawnRecord(opening: Opening, shownAtS: number): JournalSlot {
  const { nullifier } = opening
  return { nullifier, hop: NOBODY, use: 'link', standing: 'refused', shownAtS, opening, floor: 0 }
}

/** True for such a record. */
export function isWithdrawnRecord({ hop }: JournalSlot): boolean {
  return hop === NOBODY
}

/** No hop was shown it. */
const NOBODY = nodeKeyOf(new Uint8Array(32))

/** How many leaves had this root; all where none did. */
function sizeUnder(root: bigint | undefined, tree: LeafTree): number {
  for (let size = tree.size; size > 0; size--) if (tree.rootAt(size) === root) return size
  return tree.size
}
