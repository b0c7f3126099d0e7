/** Commitments and proofs of a running node, from its own store (SPEC §17). Proofs are made once, lie where the node shows them, and are left with neighbours. */
import type { ServiceProver } from '@byway/node'
import type { PaymentParameters } from '@byway/protocol/directory'
import { u256Bytes } from '@byway/protocol/ticket'
import { decodeOpening } from '@byway/protocol/wire'
import type { Store } from '@byway/store'
import { assertRoomToProve, encodeServiceProof } from '@byway/zk'
import type { AuditProgram } from './audit-program.ts'
import { hashReceipts, proveReceipts } from './make-proof.ts'
import type { ReceiptSource } from './own-receipts.ts'
import { proofError } from './proof-errors.ts'
import { keepProof, ownProofPath, readProof } from './proof-shelf.ts'

export type ServiceProverDeps = {
  readonly store: Pick<Store, 'receipts' | 'openings'>
  readonly payment: PaymentParameters
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** The state folder. */
  readonly home: string
  /** Leaves a proof with neighbours. */
  readonly leave: (proof: Uint8Array) => void
  /** What proofs are made with. */
  readonly program: AuditProgram
  /** Throws where the machine is too small. @default its memory is asked for */
  readonly assertRoom?: (() => void) | undefined
}

/** Creates it; nothing is read before it is asked. */
export function createServiceProver({
  store,
  payment,
  provider,
  home,
  leave,
  program,
  assertRoom = assertRoomToProve,
}: ServiceProverDeps): ServiceProver {
  const setting = { payment, provider }
  const source: Pick<ReceiptSource, 'receipts' | 'opening'> = {
    receipts: (epoch) => store.receipts.ofEpoch(epoch),
    async opening(nullifier) {
      const found = await store.openings.get(nullifier)
      return found && decodeOpening(found.opening)
    },
  }
  return {
    async commitment(epoch, signal) {
      // Who commits to what it cannot prove loses its stake to the first who asks.
      assertRoom()
      const hashed = await hashReceipts(setting, source, epoch, signal)
      if (!hashed) return undefined
      await program.ensure(signal)
      const { root, total, maxUnits } = hashed.commitment
      return { root: u256Bytes(root), total: Number(total), maxUnits: Number(maxUnits) }
    },
    async proof(epoch, { root, beacon }, signal) {
      const path = ownProofPath(home, epoch)
      const kept = await readProof(path)
      if (kept?.proof.beacon === beacon && kept.proof.root === root) {
        leave(kept.bytes)
        return kept.proof
      }
      const hashed = await hashReceipts(setting, source, epoch, signal)
      if (!hashed) throw proofError('PROOF_NO_RECEIPTS', { epoch })
      // A store of another time: no proof of these receipts is an answer.
      if (hashed.commitment.root !== root) throw proofError('PROOF_OTHER_RECEIPTS', { epoch })
      await program.ensure(signal)
      const made = await proveReceipts(setting, source, hashed, beacon, signal)
      const bytes = encodeServiceProof(made)
      await keepProof(path, bytes)
      leave(bytes)
      return made
    },
  }
}
