/** Checks a service proof as a stranger does: with the network's file, and the chain where it answers (SPEC §17.4). */
import { open } from 'node:fs/promises'
import type { ProofsView } from '@byway/chain'
import { isBywayError, toHex } from '@byway/protocol/base'
import type { NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  assertSetUpServes,
  createZkEngine,
  decodeServiceProof,
  SERVICE_PROOF_BYTES,
  type ServiceProof,
  verifyServiceProof,
} from '@byway/zk'
import { poolOf } from './make-proof.ts'
import { proofError } from './proof-errors.ts'

// Local limit (tunable): docs/LIMITS.md.
/** Fourteen questions to two endpoints. */
const CHAIN_TIMEOUT_MS = 30_000

/** What the chain is asked about. */
export type ChainCheck = 'roots' | 'commitment' | 'beacon'
export const CHAIN_CHECKS: readonly ChainCheck[] = ['roots', 'commitment', 'beacon']

/** What a proof claims, and what of it was held against the chain. */
export type Verified = { readonly proof: ServiceProof; readonly checked: readonly ChainCheck[] }

/**
 * Reads and checks a proof.
 *
 * @param withChain - also ask the chain; when it does not answer, that is said and no error
 * @throws PROOF_FILE, PROOF_FALSE, ZK_DEVELOPMENT_SET_UP, ZK_ARTEFACT, CHAIN_WRONG_CHAIN, CHAIN_DISAGREE, and the system's for a file that cannot be read
 */
export async function verifyProof(
  path: string,
  network: NetworkParameters,
  payment: PaymentParameters,
  { withChain, signal }: { readonly withChain: boolean; readonly signal: AbortSignal },
): Promise<Verified> {
  const proof = decodeServiceProof(await readProof(path))
  if (!proof) throw proofError('PROOF_FILE', {})
  await assertSetUpServes(payment.chainId)
  using engine = createZkEngine()
  const judge = { crypto: nodeTicketCrypto, engine, pool: poolOf(payment) }
  const found = await verifyServiceProof(judge, proof)
  if (found) {
    const { fault: part, ...rest } = found
    throw proofError('PROOF_FALSE', { part, ...rest })
  }
  return { proof, checked: withChain ? await askChain(proof, network, payment, signal) : [] }
}

/** No more than a proof has, and one byte to tell that there is more. */
async function readProof(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(new Uint8Array(SERVICE_PROOF_BYTES + 1))
  return buffer.subarray(0, bytesRead)
}

/** What it could be held against; nothing when the chain does not answer. @throws PROOF_FALSE, and what the chain throws when it contradicts itself */
async function askChain(
  proof: ServiceProof,
  { local: isLocal }: NetworkParameters,
  payment: PaymentParameters,
  signal: AbortSignal,
): Promise<readonly ChainCheck[]> {
  // The chain's library takes its time, and is not wanted offline.
  const { createProofsView, openChain } = await import('@byway/chain')
  const { view, reader } = openChain({ payment, isLocal, onAlert: () => {} })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CHAIN_TIMEOUT_MS)])
  const contract = payment.proofs?.contract
  try {
    await checkRoots(proof, (root) => view.publishedRoot(root, limit))
    if (!contract) return ['roots']
    await checkCommitment(proof, createProofsView(reader, contract), limit)
    return CHAIN_CHECKS
  } catch (error) {
    signal.throwIfAborted()
    const isAway = limit.aborted || (isBywayError(error) && error.code === 'CHAIN_UNREACHABLE')
    if (isAway) return []
    throw error
  }
}

/** @throws PROOF_FALSE for a root that was never published */
async function checkRoots(
  { openings }: ServiceProof,
  publishedRoot: (root: Uint8Array) => Promise<unknown>,
): Promise<void> {
  const asked = new Set<string>()
  for (const [sample, { root }] of openings.entries()) {
    const name = toHex(root)
    if (asked.has(name)) continue
    asked.add(name)
    if (!(await publishedRoot(root))) throw proofError('PROOF_FALSE', { part: 'root', sample })
  }
}

/** @throws PROOF_FALSE where the provider committed to something else, or another beacon was drawn */
export async function checkCommitment(
  { provider, epoch, root, total, maxUnits, beacon }: ServiceProof,
  proofs: Pick<ProofsView, 'commitment' | 'beacon'>,
  signal: AbortSignal,
): Promise<void> {
  const committed = await proofs.commitment(provider, epoch, signal)
  const isCommitted =
    committed.state !== 'none' &&
    committed.root === root &&
    BigInt(committed.total) === total &&
    BigInt(committed.maxUnits) === maxUnits
  if (!isCommitted) throw proofError('PROOF_FALSE', { part: 'commitment' })
  if ((await proofs.beacon(epoch, signal)) !== beacon)
    throw proofError('PROOF_FALSE', { part: 'beacon' })
}
