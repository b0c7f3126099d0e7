/** Commitments and proofs of a running node, from its own store (SPEC §17). Proofs lie in `proofs/EPOCH.proof` of the state folder, for whoever is to have them, and are made once. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServiceProver } from '@byway/node'
import type { PaymentParameters } from '@byway/protocol/directory'
import { maxSlotUnits, u256Bytes, unitPrice } from '@byway/protocol/ticket'
import { decodeOpening } from '@byway/protocol/wire'
import type { Store } from '@byway/store'
import {
  assertSetUpServes,
  AUDIT_DEPTH,
  type AuditTree,
  buildAuditTreeInThreads,
  decodeServiceProof,
  encodeServiceProof,
  makeServiceProof,
  type ServiceProof,
} from '@byway/zk'
import { countedReceipts, poolOf } from './make-proof.ts'
import { proofError } from './proof-errors.ts'

export type ServiceProverDeps = {
  readonly store: Pick<Store, 'receipts' | 'openings'>
  readonly payment: PaymentParameters
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly priceStep: number
  /** The state folder. */
  readonly home: string
}

/** Creates it; nothing is read before it is asked. */
export function createServiceProver(deps: ServiceProverDeps): ServiceProver {
  const { store, payment, provider, priceStep, home } = deps
  const pool = poolOf(payment)
  const treeOf = async (
    epoch: number,
    maxUnits: number,
    signal: AbortSignal,
  ): Promise<AuditTree | undefined> => {
    const stored = store.receipts.ofEpoch(epoch)
    const receipts = await countedReceipts(stored, provider, BigInt(maxUnits))
    if (receipts.length === 0) return undefined
    return await buildAuditTreeInThreads(receipts, AUDIT_DEPTH, { signal })
  }
  return {
    async commitment(epoch, signal) {
      const maxUnits = maxSlotUnits(pool, unitPrice(pool, priceStep))
      const tree = await treeOf(epoch, maxUnits, signal)
      return tree && { root: u256Bytes(tree.root), total: Number(tree.total), maxUnits }
    },
    async proof(epoch, { beacon, maxUnits }, signal) {
      const path = join(home, 'proofs', `${epoch}.proof`)
      const kept = await readProof(path)
      if (kept?.beacon === beacon) return kept
      await assertSetUpServes(payment.chainId)
      const tree = await treeOf(epoch, maxUnits, signal)
      if (!tree) throw proofError('PROOF_NO_RECEIPTS', { epoch })
      const place = { chainId: payment.chainId, pool: payment.pool, provider }
      const claim = { ...place, epoch, maxUnits: BigInt(maxUnits), beacon }
      const made = await makeServiceProof(claim, tree, openingOf, signal)
      await keep(path, made)
      return made
    },
  }

  async function openingOf(nullifier: Uint8Array) {
    const found = await store.openings.get(nullifier)
    return found && decodeOpening(found.opening)
  }

  async function keep(path: string, proof: ServiceProof): Promise<void> {
    await mkdir(join(home, 'proofs'), { recursive: true })
    // Nobody reads a half.
    await writeFile(`${path}.new`, encodeServiceProof(proof))
    await rename(`${path}.new`, path)
  }
}

/** Undefined when there is none that can be read. */
async function readProof(path: string): Promise<ServiceProof | undefined> {
  try {
    return decodeServiceProof(await readFile(path))
  } catch {
    return undefined
  }
}
