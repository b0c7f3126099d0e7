/** The descriptors that a node knows and passes on: in a network with a registry those with a stake behind them (SPEC §10.1), and its own. @module */
import { equalBytes } from '@byway/protocol/base'
import { createDescriptorSet } from '@byway/protocol/directory'
import type { DescriptorSet, Evidence, StakeClaim, StakeSource } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'

export type NodeSetDeps = {
  /** Absent in a network without a registry. */
  readonly stakes: Pick<StakeSource, 'view'> | undefined
  /** Empty before the start. */
  readonly ownId: () => Uint8Array
  readonly onEvidence: (evidence: Evidence) => void
}

/** Creates an empty set. */
export function createNodeSet({ stakes, ownId, onEvidence }: NodeSetDeps): DescriptorSet {
  // A node's own edition counts for itself: it may have to be published before others see the stake.
  const admits = (claim: StakeClaim): boolean =>
    equalBytes(claim.nodeId, ownId()) || (stakes?.view.stakeOf(claim) ?? 0n) > 0n
  return createDescriptorSet(nodeCrypto, { admits: stakes && admits, onEvidence })
}
