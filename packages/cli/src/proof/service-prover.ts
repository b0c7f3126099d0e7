/** Commitments and proofs of a running node, from its own store (SPEC §17). Proofs lie in `proofs/EPOCH.proof` of the state folder, for whoever is to have them, and are made once. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServiceProver } from '@byway/node'
import type { PaymentParameters } from '@byway/protocol/directory'
import { u256Bytes } from '@byway/protocol/ticket'
import { decodeOpening } from '@byway/protocol/wire'
import type { Store } from '@byway/store'
import { decodeServiceProof, encodeServiceProof, type ServiceProof } from '@byway/zk'
import { hashReceipts, proveReceipts } from './make-proof.ts'
import type { ReceiptSource } from './own-receipts.ts'
import { proofError } from './proof-errors.ts'

export type ServiceProverDeps = {
  readonly store: Pick<Store, 'receipts' | 'openings'>
  readonly payment: PaymentParameters
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** The state folder. */
  readonly home: string
}

/** Creates it; nothing is read before it is asked. */
export function createServiceProver({
  store,
  payment,
  provider,
  home,
}: ServiceProverDeps): ServiceProver {
  const setting = { payment, provider, say: () => {} }
  const source: Pick<ReceiptSource, 'receipts' | 'opening'> = {
    receipts: (epoch) => store.receipts.ofEpoch(epoch),
    async opening(nullifier) {
      const found = await store.openings.get(nullifier)
      return found && decodeOpening(found.opening)
    },
  }
  return {
    async commitment(epoch, signal) {
      const hashed = await hashReceipts(setting, source, epoch, signal)
      if (!hashed) return undefined
      const { root, total, maxUnits } = hashed.commitment
      return { root: u256Bytes(root), total: Number(total), maxUnits: Number(maxUnits) }
    },
    async proof(epoch, beacon, signal) {
      const path = join(home, 'proofs', `${epoch}.proof`)
      const kept = await readProof(path)
      if (kept?.beacon === beacon) return kept
      const hashed = await hashReceipts(setting, source, epoch, signal)
      if (!hashed) throw proofError('PROOF_NO_RECEIPTS', { epoch })
      const made = await proveReceipts(setting, source, hashed, beacon, signal)
      await keep(path, made)
      return made
    },
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
