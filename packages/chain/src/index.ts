/** The chain behind a port: contracts, RPC quorum, transaction lane, embedded anvil. */
export * from './artifacts/index.ts'
export type { ChainEvent, ChainEventBody, ChainNews, ChainView, SlotChange } from './chain-view.ts'
export { type ChainError, chainError, type EndpointFault } from './errors.ts'
export { type Artifact, linkArtifact } from './link-artifact.ts'
export type {
  LaneAlert,
  LaneCall,
  LaneStatus,
  LaneTransaction,
  TransactionLane,
} from './transaction-lane.ts'
