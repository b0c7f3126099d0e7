/** The chain behind a port: contracts, RPC quorum, transaction lane, embedded anvil. */
export * from './artifacts/index.ts'
export { type Anvil, type AnvilOptions, LOCAL_CHAIN_ID, startAnvil } from './anvil/start-anvil.ts'
export type { ChainReader } from './chain-reader.ts'
export type {
  ChainEvent,
  ChainEventBody,
  ChainNews,
  ChainView,
  HeldBack,
  SkipReason,
  PaidWin,
  SlotBind,
  WinPlace,
} from './chain-view.ts'
export {
  createRegistryCalls,
  createTokenCalls,
  type RegisterCall,
  type RegistryCalls,
  type TokenCalls,
} from './contracts/other-calls.ts'
export {
  type CallJoining,
  type CallPart,
  type CallReceiver,
  createLeafCalls,
  type LeafCalls,
} from './contracts/leaf-calls.ts'
export { createPoolCalls, type PoolCalls } from './contracts/pool-calls.ts'
export {
  createProofCalls,
  type ProofCalls,
  type RoundHeaders,
  type ServiceAnswer,
  type ServiceCommitment,
} from './contracts/proof-calls.ts'
export {
  type CommitmentState,
  type CommitmentStatus,
  createProofsView,
  type ProofsView,
  type ProofTimes,
} from './proofs-view.ts'
export {
  type BindBatch,
  type CallBoundSlot,
  type CallClaim,
  type CallDestination,
  type CallEvidence,
  type CallOpening,
  type CallSignedTicket,
  type CallTerms,
  type CallTicket,
  type CallUnused,
  type ClaimBatch,
  type LockBatch,
  OWN_TERMS,
} from './contracts/pool-types.ts'
export { askChainId } from './deploy/ask-chain-id.ts'
export { askToken, type TokenFacts } from './deploy/ask-token.ts'
export { deployContracts, type DeployOptions } from './deploy/deploy-contracts.ts'
export {
  type ContractParameters,
  DEFAULT_PARAMETERS,
  type DeployedContract,
  type DeployedName,
  type DeploymentRecord,
  scaleParameters,
} from './deploy/deployment.ts'
export { type NetworkChoices, paymentOf } from './deploy/payment-of.ts'
export { assertDeployable, PROOF_CONTRACTS, type ProofContracts } from './deploy/proof-contracts.ts'
export { type ChainError, chainError, type EndpointFault } from './errors.ts'
export { type Artifact, linkArtifact } from './link-artifact.ts'
export {
  type Chain,
  type ChainOptions,
  openChain,
  openChainReader,
  type ReaderSettings,
} from './open-chain.ts'
export {
  createRegistryClient,
  type RegistryCache,
  type RegistryClient,
  type RegistryClientOptions,
} from './registry/registry-client.ts'
export type { EndpointAlert } from './rpc/quorum.ts'
export { createTransactionLane } from './lane/create-lane.ts'
export { type LaneOptions } from './lane/lane-state.ts'
export { createLocalSigner } from './lane/local-signer.ts'
export { tryCall, type TriedCall } from './lane/try-call.ts'
export { createMemoryTransactionStore } from './lane/memory-store.ts'
export {
  keepLooking,
  type LaneAlert,
  type LaneCall,
  type LaneStatus,
  type LaneTransaction,
  type TransactionLane,
} from './transaction-lane.ts'
export {
  type ChainAnswerer,
  type ChainAnswererOptions,
  createChainAnswerer,
  type ToldChain,
} from './through/chain-answerer.ts'
export type { AskNode } from './through/node-endpoint.ts'
export {
  type ChainSeat,
  openChainOverNodes,
  type OverNodesOptions,
} from './through/open-over-nodes.ts'
export { openChainThrough, type ThroughOptions } from './through/open-through.ts'
export type { ChainRoute, RoutedReader } from './through/routed-reader.ts'
