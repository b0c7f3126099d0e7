/** Checks a service proof as a stranger does: with the network's file, and the chain where it answers (SPEC §17.4). */
import { open } from 'node:fs/promises'
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
/** Twelve questions to two endpoints. */
const CHAIN_TIMEOUT_MS = 30_000

/** What a proof claims, and what was looked at. */
export type Verified = {
  readonly proof: ServiceProof
  /** True when the chain was asked whether the slots' roots were published. */
  readonly hasRoots: boolean
}

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
  return { proof, hasRoots: withChain && (await rootsStand(proof, network, payment, signal)) }
}

/** No more than a proof has, and one byte to tell that there is more. */
async function readProof(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(new Uint8Array(SERVICE_PROOF_BYTES + 1))
  return buffer.subarray(0, bytesRead)
}

/** False when the chain does not answer. @throws PROOF_FALSE for a root that was never published */
async function rootsStand(
  { openings }: ServiceProof,
  { local: isLocal }: NetworkParameters,
  payment: PaymentParameters,
  signal: AbortSignal,
): Promise<boolean> {
  // The chain's library takes its time, and is not wanted offline.
  const { openChain } = await import('@byway/chain')
  const { view } = openChain({ payment, isLocal, onAlert: () => {} })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CHAIN_TIMEOUT_MS)])
  const asked = new Set<string>()
  try {
    for (const [sample, { root }] of openings.entries()) {
      const name = toHex(root)
      if (asked.has(name)) continue
      asked.add(name)
      if (!(await view.publishedRoot(root, limit)))
        throw proofError('PROOF_FALSE', { part: 'root', sample })
    }
    return true
  } catch (error) {
    signal.throwIfAborted()
    const isAway = limit.aborted || (isBywayError(error) && error.code === 'CHAIN_UNREACHABLE')
    if (isAway) return false
    throw error
  }
}
