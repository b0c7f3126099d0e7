/** Makes a service proof of a node's receipts (SPEC §17), or says what the node commits to before the beacon is drawn. */
import { open } from 'node:fs/promises'
import type { PaymentParameters } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { epochOf } from '@byway/protocol/payment'
import { createPool, maxSlotUnits, type Pool, unitPrice } from '@byway/protocol/ticket'
import {
  assertMade,
  assertSetUpServes,
  AUDIT_DEPTH,
  type AuditTree,
  buildAuditTreeInThreads,
  encodeServiceProof,
  makeServiceProof,
  type Receipt,
  receiptOf,
} from '@byway/zk'
import { openReceipts, type ReceiptSource } from './own-receipts.ts'
import { proofError } from './proof-errors.ts'

export type MakeRun = {
  readonly home: string
  readonly payment: PaymentParameters
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly priceStep: number
  /** @default the last that has ended */
  readonly epoch: number | undefined
  readonly nowMs: number
  readonly signal: AbortSignal
  /** A line for people. */
  readonly say: (text: string) => void
}

/** What a provider commits to. */
export type Commitment = {
  readonly epoch: number
  readonly root: bigint
  readonly total: bigint
  readonly maxUnits: bigint
  /** Slots with a receipt that counts. */
  readonly receipts: number
}

/** Hashes the epoch's receipts. @throws PROOF_NO_EPOCHS, PROOF_TOO_EARLY, PROOF_NO_RECEIPTS, ZK_AUDIT, and what reading them throws */
export async function makeCommitment(run: MakeRun): Promise<Commitment> {
  await using source = await openReceipts(run.home)
  return (await committed(run, source)).commitment
}

/** Makes the proof and writes it to a new file. @throws as {@link makeCommitment}, and what the prover throws; EEXIST */
export async function makeProof(run: MakeRun, beacon: bigint, path: string): Promise<Commitment> {
  const { payment, provider, signal, say } = run
  await assertSetUpServes(payment.chainId)
  await assertMade('service-audit')
  await using source = await openReceipts(run.home)
  // Nothing is worth half a minute of work that cannot be written.
  await using file = await open(path, 'wx')
  const { commitment, tree } = await committed(run, source)
  const { epoch, maxUnits } = commitment
  const place = { chainId: payment.chainId, pool: payment.pool }
  say('proving, which takes a minute or less of all cores')
  const claim = { ...place, provider, epoch, maxUnits, beacon }
  const opening = (nullifier: Uint8Array) => source.opening(nullifier)
  await file.writeFile(encodeServiceProof(await makeServiceProof(claim, tree, opening, signal)))
  return commitment
}

type Committed = { readonly commitment: Commitment; readonly tree: AuditTree }

async function committed(run: MakeRun, source: ReceiptSource): Promise<Committed> {
  const { provider, priceStep, signal, say } = run
  const epoch = endedEpoch(run)
  const pool = poolOf(run.payment)
  const maxUnits = BigInt(maxSlotUnits(pool, unitPrice(pool, priceStep)))
  const receipts: Receipt[] = []
  for await (const stored of source.receipts(epoch)) {
    const receipt = receiptOf({ ...stored, provider })
    // Signed at another price: the program takes none above this one's.
    if (receipt.units <= maxUnits) receipts.push(receipt)
  }
  if (receipts.length === 0) throw proofError('PROOF_NO_RECEIPTS', { epoch })
  const onProgress = (done: number, all: number): void => say(`hashed ${done} of ${all} receipts`)
  const tree = await buildAuditTreeInThreads(receipts, AUDIT_DEPTH, { onProgress, signal })
  const { root, total } = tree
  return { tree, commitment: { epoch, root, total, maxUnits, receipts: receipts.length } }
}

/** The pool that the network's file describes. */
export function poolOf(payment: PaymentParameters): Pool {
  return createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
}

function endedEpoch({ payment, epoch, nowMs }: MakeRun): number {
  if (!payment.proofs) throw proofError('PROOF_NO_EPOCHS', {})
  const current = epochOf(nowMs / 1000, payment.proofs.epochS)
  if (epoch !== undefined && epoch >= current) throw proofError('PROOF_TOO_EARLY', { epoch })
  return epoch ?? current - 1
}
