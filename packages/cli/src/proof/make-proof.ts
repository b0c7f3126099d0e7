/** A node's receipts of an epoch, hashed and proved (SPEC §17). */
import type { PaymentParameters } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { epochOf } from '@byway/protocol/payment'
import { createPool, maxSlotUnits, type Pool, unitPrice } from '@byway/protocol/ticket'
import { MAX_PRICE_STEP } from '@byway/protocol/wire'
import type { StoredReceipt } from '@byway/store'
import {
  assertSetUpServes,
  AUDIT_DEPTH,
  type AuditTree,
  buildAuditTreeInThreads,
  createAuditSelection,
  makeServiceProof,
  type OnProofProgress,
  type OpeningSource,
  type Receipt,
  receiptOf,
  type ServiceProof,
} from '@byway/zk'
import type { ReceiptSource } from './own-receipts.ts'
import { proofError } from './proof-errors.ts'

/** Whose receipts, in which network. */
export type ProofSetting = {
  readonly payment: PaymentParameters
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** Told how far it is. */
  readonly onProgress?: OnProofProgress | undefined
}

/** What a provider commits to. */
export type Commitment = {
  readonly epoch: number
  readonly root: bigint
  readonly total: bigint
  readonly maxUnits: bigint
  /** Slots with a receipt. */
  readonly receipts: number
}

/** An epoch's receipts, hashed. The same receipts give the same tree. */
export type Committed = { readonly commitment: Commitment; readonly tree: AuditTree }

/** Hashes an epoch's receipts; undefined when there are none. @throws ZK_AUDIT, ZK_STOPPED, and what reading them throws */
export async function hashReceipts(
  { payment, provider, onProgress }: ProofSetting,
  source: Pick<ReceiptSource, 'receipts'>,
  epoch: number,
  signal: AbortSignal,
): Promise<Committed | undefined> {
  const payable = payableUnits(poolOf(payment))
  const receipts = await countedReceipts(source.receipts(epoch), provider, payable.at(-1) ?? 0n)
  if (receipts.length === 0) return undefined
  const tree = await buildAuditTreeInThreads(receipts, AUDIT_DEPTH, { onProgress, signal })
  const { root, total } = tree
  // It follows from the receipts alone, so that a commitment stays what it is when the node's price changes.
  const maxUnits =
    payable.find((units) => receipts.every((receipt) => receipt.units <= units)) ?? 0n
  return { tree, commitment: { epoch, root, total, maxUnits, receipts: receipts.length } }
}

/** Proves over such a tree. @throws what `assertSetUpServes` and `makeServiceProof` throw */
export async function proveReceipts(
  { payment, provider, onProgress }: ProofSetting,
  source: Pick<ReceiptSource, 'opening'>,
  { tree, commitment }: Committed,
  beacon: bigint,
  signal: AbortSignal,
): Promise<ServiceProof> {
  await assertSetUpServes(payment.chainId)
  const { epoch, maxUnits } = commitment
  const { chainId, pool } = payment
  const claim = { chainId, pool, provider, epoch, maxUnits, beacon }
  const openingOf: OpeningSource = (nullifier) => source.opening(nullifier)
  return await makeServiceProof(claim, tree, openingOf, { onProgress, signal })
}

/** What a slot pays for at each price that a node may have, the least first. */
function payableUnits(pool: Pool): readonly bigint[] {
  const steps = Array.from({ length: MAX_PRICE_STEP }, (_, i) => MAX_PRICE_STEP - i)
  return steps.map((step) => BigInt(maxSlotUnits(pool, unitPrice(pool, step))))
}

/** Those that count: whatever clients did, a tree of them can be built. */
export async function countedReceipts(
  stored: AsyncIterable<StoredReceipt>,
  provider: Uint8Array,
  maxUnits: bigint,
): Promise<readonly Receipt[]> {
  const selection = createAuditSelection(AUDIT_DEPTH)
  for await (const each of stored) {
    const receipt = receiptOf({ ...each, provider })
    // Signed at another price: the program takes none above this one's.
    if (receipt.units <= maxUnits) selection.add(receipt)
  }
  return selection.chosen()
}

/** The pool that the network's file describes. */
export function poolOf(payment: PaymentParameters): Pool {
  return createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
}

/** The epoch that is asked for, or the last one that has ended. @throws PROOF_NO_EPOCHS, PROOF_TOO_EARLY */
export function endedEpoch(
  { proofs }: PaymentParameters,
  epoch: number | undefined,
  nowMs: number,
): number {
  if (!proofs) throw proofError('PROOF_NO_EPOCHS', {})
  const current = epochOf(nowMs / 1000, proofs.epochS)
  if (epoch !== undefined && epoch >= current) throw proofError('PROOF_TOO_EARLY', { epoch })
  return epoch ?? current - 1
}
