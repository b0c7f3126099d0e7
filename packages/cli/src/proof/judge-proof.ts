/** Holds a service proof against the network's file and the chain (SPEC §17.4). What is asked of whom is the caller's business. */
import type { ChainView, CommitmentStatus, ProofsView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { type ServiceProof, verifyServiceProof, type ZkEngine } from '@byway/zk'
import { poolOf } from './make-proof.ts'
import { proofError } from './proof-errors.ts'

/** Checks all that a proof shows by itself. @throws PROOF_FALSE, and what the engine throws */
export async function judgeProof(
  proof: ServiceProof,
  payment: PaymentParameters,
  engine: Pick<ZkEngine, 'verify'>,
): Promise<void> {
  const judge = { crypto: nodeTicketCrypto, engine, pool: poolOf(payment) }
  const found = await verifyServiceProof(judge, proof)
  if (!found) return
  const { fault: part, ...rest } = found
  throw proofError('PROOF_FALSE', { part, ...rest })
}

/** @throws PROOF_FALSE for a root that was never published, and what the chain throws */
export async function checkRoots(
  { openings }: ServiceProof,
  view: Pick<ChainView, 'publishedRoot'>,
  signal: AbortSignal,
): Promise<void> {
  const asked = new Set<string>()
  for (const [sample, { root }] of openings.entries()) {
    const name = toHex(root)
    if (asked.has(name)) continue
    asked.add(name)
    if (!(await view.publishedRoot(root, signal)))
      throw proofError('PROOF_FALSE', { part: 'root', sample })
  }
}

/** @throws PROOF_FALSE where the provider committed to something else, or another beacon was drawn; what the chain throws */
export async function checkCommitment(
  { provider, epoch, root, total, maxUnits, beacon }: ServiceProof,
  proofs: Pick<ProofsView, 'commitment' | 'beacon'>,
  signal: AbortSignal,
): Promise<CommitmentStatus> {
  const committed = await proofs.commitment(provider, epoch, signal)
  const isCommitted =
    committed.state !== 'none' &&
    committed.root === root &&
    BigInt(committed.total) === total &&
    BigInt(committed.maxUnits) === maxUnits
  if (!isCommitted) throw proofError('PROOF_FALSE', { part: 'commitment' })
  if ((await proofs.beacon(epoch, signal)) !== beacon)
    throw proofError('PROOF_FALSE', { part: 'beacon' })
  return committed
}
