/**
 * Service proofs (SPEC §17.4): made by a provider of its receipts, and checked by anybody.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import {
  maxSlotUnits,
  numberOf,
  openingHolds,
  type Pool,
  u256Bytes,
  unitPrice,
} from '@byway/protocol/ticket'
import { MAX_PRICE_STEP, type Opening } from '@byway/protocol/wire'
import { auditInput, auditSignals, sampledUnits } from './audit.ts'
import { proveAudit } from './audit-prover.ts'
import type { AuditTree } from './audit-tree.ts'
import type { ZkEngine } from './engine.ts'
import { zkError } from './errors.ts'
import type { ProofOptions } from './progress.ts'
import { receiptKeyOf } from './receipt.ts'
import type { ServiceProof } from './service-proof-form.ts'
import { createSlotVerifier } from './slot-authorisation.ts'

/** Whose proof, and what was drawn. */
export type ServiceClaim = Pick<
  ServiceProof,
  'chainId' | 'pool' | 'provider' | 'epoch' | 'maxUnits' | 'beacon'
>

/** Finds what a client showed of a slot; undefined when it is not kept. */
export type OpeningSource = (nullifier: Uint8Array) => Promise<Opening | undefined>

/**
 * Makes a proof over the tree that the provider committed to: ten seconds of a good core, on all cores.
 *
 * @throws ZK_NO_OPENING, ZK_FALSE_STATEMENT when a sampled receipt is not what the tree says, and what `proveAudit` throws
 */
export async function makeServiceProof(
  claim: ServiceClaim,
  tree: AuditTree,
  openingOf: OpeningSource,
  options?: ProofOptions,
): Promise<ServiceProof> {
  const { root, total } = tree
  const openings: Opening[] = []
  for (const [sample, unit] of sampledUnits(claim.beacon, total).entries()) {
    const { receipt } = tree.find(unit)
    const opening = await openingOf(u256Bytes(receipt.nullifier))
    const isItsOwn = opening && numberOf(opening.receiptKey) === receiptKeyOf(receipt.publicKey)
    if (!isItsOwn) throw zkError('ZK_NO_OPENING', { sample })
    openings.push(opening)
  }
  const statement = {
    provider: numberOf(claim.provider),
    epoch: BigInt(claim.epoch),
    root,
    total,
    maxUnits: claim.maxUnits,
    beacon: claim.beacon,
  }
  const { proof } = await proveAudit(auditInput(tree, statement), options)
  return { ...claim, root, total, proof, openings }
}

/** What is found wrong with a proof. */
export type ServiceProofFault =
  /** It is of another chain or pool. */
  | { readonly fault: 'network' }
  /** What it says a slot pays for, none does at any price of this network. */
  | { readonly fault: 'units' }
  /** The samples do not lie under the root, or are not signed. */
  | { readonly fault: 'audit' }
  /** Of a sampled slot nobody has shown that it was paid in. */
  | { readonly fault: 'slot'; readonly sample: number }

/** What it takes to check a proof: who has the network's file has it. */
export type ServiceProofJudge = {
  readonly crypto: TicketCrypto
  readonly engine: Pick<ZkEngine, 'verify'>
  readonly pool: Pool
}

/**
 * Checks everything that a proof shows by itself; undefined when all of it holds. Not whether the root and the total are what the provider committed to, whether the
 * beacon is the one drawn after that, nor whether the roots under which slots were shown were ever published: those the chain knows.
 *
 * @throws what the engine throws
 */
export async function verifyServiceProof(
  { crypto, engine, pool }: ServiceProofJudge,
  proof: ServiceProof,
): Promise<ServiceProofFault | undefined> {
  if (proof.chainId !== pool.chainId || !equalBytes(proof.pool, pool.pool))
    return { fault: 'network' }
  if (!payableUnits(pool).has(proof.maxUnits)) return { fault: 'units' }
  const holds = await engine.verify('service-audit', signalsOf(proof), proof.proof)
  if (!holds) return { fault: 'audit' }
  const verifier = createSlotVerifier(engine, pool)
  for (const [sample, opening] of proof.openings.entries()) {
    if (!(await openingHolds(crypto, verifier, pool.domain, opening)))
      return { fault: 'slot', sample }
  }
  return undefined
}

/** The most units that a slot pays for, at each price a node may have. */
function payableUnits(pool: Pool): ReadonlySet<bigint> {
  const steps = Array.from({ length: MAX_PRICE_STEP }, (_, i) => i + 1)
  return new Set(steps.map((step) => BigInt(maxSlotUnits(pool, unitPrice(pool, step)))))
}

function signalsOf({ provider, epoch, openings, ...rest }: ServiceProof): readonly bigint[] {
  return auditSignals({
    ...rest,
    provider: numberOf(provider),
    epoch: BigInt(epoch),
    receiptKeys: openings.map(({ receiptKey }) => numberOf(receiptKey)),
    nullifiers: openings.map(({ nullifier }) => numberOf(nullifier)),
  })
}
