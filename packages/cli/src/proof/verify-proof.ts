/** Checks a service proof as a stranger does: with the network's file and the chain (SPEC §17.4). */
import type { CommitmentState } from '@byway/chain'
import { isBywayError } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { assertSetUpServes, createZkEngine, decodeServiceProof, type ServiceProof } from '@byway/zk'
import { burnedBeside } from '../ledger/held-back.ts'
import { checkCommitment, checkRoots, judgeProof } from './judge-proof.ts'
import type { PurseChain } from '../wallet/purse-chain.ts'
import { proofError } from './proof-errors.ts'

// Local limit (tunable): docs/LIMITS.md.
/** Fourteen questions to two endpoints. */
const CHAIN_TIMEOUT_MS = 30_000
/** The same over circuits. */
const THROUGH_TIMEOUT_MS = 120_000

/** What the chain is asked about. */
export type ChainCheck = 'roots' | 'commitment' | 'beacon'
export const CHAIN_CHECKS: readonly ChainCheck[] = ['roots', 'commitment', 'beacon']

/** What the chain says of a commitment. */
export type OnChain = {
  readonly state: CommitmentState
  /** Held back of the wins of this epoch, and burned of the same wins: what no colluding client makes up for nothing. */
  readonly held: bigint
  readonly burned: bigint
}

/** What a proof claims, and what of it was held against the chain. */
export type Verified = {
  readonly proof: ServiceProof
  readonly checked: readonly ChainCheck[]
  /** Undefined where the chain was not asked, or does not judge proofs. */
  readonly onChain: OnChain | undefined
}

/**
 * Checks the bytes of a proof.
 *
 * @param openChain - ask this chain; without it the form alone is checked
 * @throws PROOF_FILE, PROOF_FALSE, PROOF_CHAIN_AWAY, ZK_DEVELOPMENT_SET_UP, ZK_ARTEFACT, CHAIN_WRONG_CHAIN, CHAIN_DISAGREE
 */
export async function verifyProof(
  bytes: Uint8Array,
  payment: PaymentParameters,
  { openChain, signal }: VerifyOptions,
): Promise<Verified> {
  const proof = decodeServiceProof(bytes)
  if (!proof) throw proofError('PROOF_FILE', {})
  await assertSetUpServes(payment.chainId)
  using engine = createZkEngine()
  await judgeProof(proof, payment, engine)
  const asked = openChain ? await askChain(proof, openChain, payment, signal) : NOT_ASKED
  return { proof, ...asked }
}

/** What a check may ask. */
export type VerifyOptions = {
  readonly openChain: OpenProofChain | undefined
  readonly signal: AbortSignal
}

/** Whom a proof is held against: asked for nothing that names an account of the user's. */
export type OpenProofChain = () => Promise<Pick<PurseChain, 'chain' | 'isThrough'>>

type Asked = Pick<Verified, 'checked' | 'onChain'>

const NOT_ASKED: Asked = { checked: [], onChain: undefined }

/** What it could be held against. @throws PROOF_FALSE, PROOF_CHAIN_AWAY, and what the chain throws when it contradicts itself */
async function askChain(
  proof: ServiceProof,
  openChain: OpenProofChain,
  payment: PaymentParameters,
  signal: AbortSignal,
): Promise<Asked> {
  // The chain's library takes its time, and is not wanted offline.
  const { createProofsView } = await import('@byway/chain')
  const { chain, isThrough } = await openChain()
  const { view, reader } = chain
  const limit = limitOf(isThrough, signal)
  const contract = payment.proofs?.contract
  try {
    await checkRoots(proof, view, limit)
    if (!contract) return { checked: ['roots'], onChain: undefined }
    const { state, held } = await checkCommitment(proof, createProofsView(reader, contract), limit)
    return { checked: CHAIN_CHECKS, onChain: { state, held, burned: burnedBeside(held) } }
  } catch (error) {
    signal.throwIfAborted()
    const isAway = limit.aborted || (isBywayError(error) && error.code === 'CHAIN_UNREACHABLE')
    throw isAway ? proofError('PROOF_CHAIN_AWAY', {}) : error
  }
}

function limitOf(isThrough: boolean, signal: AbortSignal): AbortSignal {
  const timeoutMs = isThrough ? THROUGH_TIMEOUT_MS : CHAIN_TIMEOUT_MS
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
}

/** The beacon that the chain has for an epoch. @throws PROOF_NO_EPOCHS, PROOF_NO_BEACON, and what the chain throws */
export async function drawnBeacon(
  openChain: OpenProofChain,
  payment: PaymentParameters,
  epoch: number,
  signal: AbortSignal,
): Promise<bigint> {
  const contract = payment.proofs?.contract
  if (!contract) throw proofError('PROOF_NO_EPOCHS', {})
  const { createProofsView } = await import('@byway/chain')
  const { chain, isThrough } = await openChain()
  const proofs = createProofsView(chain.reader, contract)
  const beacon = await proofs.beacon(epoch, limitOf(isThrough, signal))
  if (beacon === undefined) throw proofError('PROOF_NO_BEACON', { epoch })
  return beacon
}
