/** Public entry of the client: `createClient` for programs, `createProxy` for applications that speak SOCKS or HTTP. @module */
export { createClient } from './engine/create-client.ts'
export type {
  Client,
  ClientOptions,
  ClientStatus,
  GuardMeasure,
  PathReport,
} from './engine/client-types.ts'
export type { ClientChainSeat } from './engine/chain-seats.ts'
export type { AskedFor, SeatSets } from './engine/seat-sets.ts'
export type { NodeMoment, NodeScore } from './engine/node-score.ts'
export type { TooNear } from './engine/round-trips.ts'
export type { ClientError } from './engine/errors.ts'
export type { DirectoryQuery } from './engine/ask-node.ts'
export { findExitRecord } from './engine/find-exit-record.ts'
export type { ExitRecordQuery, ExitWitness } from './engine/find-exit-record.ts'
export { findProviderOf, findServiceProofs } from './engine/find-service-proofs.ts'
export type { FoundServiceProof, ServiceProofQuery } from './engine/find-service-proofs.ts'
export type { ClientStakes } from './engine/directory-keeper.ts'
export type { ClientPayment, MoneyNotice, MoneyStatus } from './money/money-types.ts'
export { createProofAuthoriser } from './money/proof-authoriser.ts'
export type { ProofAuthoriserDeps, SecretDeposit } from './money/proof-authoriser.ts'
export type { SlotProver, SlotWitness } from './money/slot-prover.ts'
export type { JoinProver, JoinWitness } from './money/leaf-rests.ts'
export { createReceiptKeys } from './money/receipt-keys.ts'
export type { ReceiptKeys } from './money/receipt-keys.ts'
export { sessionKeyOf } from './money/session-keys.ts'
export type { MonthBook, Slot, SlotAuthoriser, SlotJournal, SlotRecord } from './money/ports.ts'
export { nextAttempt, requestIn } from './returns/make-request.ts'
export { MAX_RETURNS_AT_ONCE, orderReturns } from './returns/order-returns.ts'
export type { OrderDeps } from './returns/order-returns.ts'
export type {
  ReturnOrder,
  ReturnRecord,
  ReturnRecords,
  SlotFact,
  SlotFacts,
} from './returns/ports.ts'
export type { RestStatus } from './returns/joiner.ts'
export type { ReturnCounts, ReturnPorts } from './returns/return-queue.ts'
export { createProxy } from './proxy/create-proxy.ts'
export type { Proxy, ProxyDeps } from './proxy/create-proxy.ts'
export type {
  ByteStream,
  ConnectInfo,
  Datagram,
  DatagramFlow,
  Dialer,
  DialOptions,
  IsolationKey,
  PortClass,
  Selection,
  Target,
} from './proxy/dialer.ts'
export type { TrafficClass } from '@byway/protocol/wire'
export type { ProxyOptions } from './proxy/options.ts'
export { parseUsername } from './proxy/username.ts'
