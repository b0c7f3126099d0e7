/** A node's commitments to what it carried: the keeper, where the network has service proofs (SPEC §17.5). */
import { type Chain, createProofCalls, createProofsView, type TransactionLane } from '@byway/chain'
import { createEpochKeeper, type EpochKeeper, type ProofShelf, type Redeemers } from '@byway/node'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { Store } from '@byway/store'
import type { ZkEngine } from '@byway/zk'
import type { NodeAlerts } from '../display/node-alerts.ts'
import { createAuditProgram } from '../proof/audit-program.ts'
import { createProofShelf } from '../proof/proof-shelf.ts'
import { createServiceProver } from '../proof/service-prover.ts'
import type { EngineSetting } from './engine-options.ts'

/** Undefined in a network without the contract. */
export function epochKeeperOf(
  { home, log, config }: Pick<EngineSetting, 'home' | 'log' | 'config'>,
  payment: PaymentParameters,
  parts: { readonly store: Store; readonly chain: Chain; readonly lane: TransactionLane },
  { provider, alerts, redeemers, maxFee, leave }: EpochSides,
): EpochKeeper | undefined {
  const { epochS, contract } = payment.proofs ?? {}
  if (epochS === undefined || !contract) return undefined
  const { store, chain, lane } = parts
  const program = createAuditProgram({
    chainId: payment.chainId,
    onStep: (position) =>
      log.child('money').info('the program of service proofs is being made', { position }),
    onMaking: (isMaking) => alerts.onProofProgram(isMaking),
  })
  return createEpochKeeper({
    chain: chain.view,
    proofs: createProofsView(chain.reader, contract),
    calls: createProofCalls(contract),
    lane,
    prover: createServiceProver({ store, payment, provider, home, leave, program }),
    redeemers,
    maxFee,
    drawsForAll: config.node.redeemer,
    provider,
    epochS,
    random: Math.random,
    wallMs: () => Date.now(),
    onAlert(alert) {
      log.child('money').warn('service proof', { event: alert.type, count: alert.epoch })
      alerts.onProofs(alert)
    },
  })
}

/** Who commits, and who is told of it. */
type EpochSides = {
  readonly provider: Uint8Array
  readonly alerts: NodeAlerts
  /** Who sends what there is no coin for, and the most that each may get of what was held back. */
  readonly redeemers: Redeemers
  readonly maxFee: bigint
  /** Leaves a proof with neighbours. */
  readonly leave: (proof: Uint8Array) => void
}

/** The proofs that a node shows; undefined in a network without the contract. */
export function proofShelfOf(
  home: string,
  payment: PaymentParameters,
  { view, reader }: Chain,
  { provider, engine }: { readonly provider: Uint8Array; readonly engine: ZkEngine },
): ProofShelf | undefined {
  const { contract } = payment.proofs ?? {}
  if (!contract) return undefined
  const proofs = createProofsView(reader, contract)
  return createProofShelf({ payment, provider, home, view, proofs, engine })
}
