/** Public entry of the node: its roles, its state folder and the operator's consent. */
export {
  consentCovers,
  readConsent,
  removeConsent,
  untilConsentEnds,
  writeConsent,
  writeLocalConsent,
} from './consent/consent.ts'
export type { Consent, ConsentScope, ConsentState } from './consent/consent.ts'
export { classPricesOf, DEFAULT_CLASSES } from './exit/class-prices.ts'
export { consentError } from './consent/consent-errors.ts'
export type { ConsentError } from './consent/consent-errors.ts'
export { CONSENT_PHRASE, CONSENT_TEXT, CONSENT_TEXT_VERSION } from './consent/consent-text.ts'
export { createNode } from './create-node.ts'
export type { ReachState, ReachStatus } from './reach/place.ts'
export type { PortMap, PortMapping } from './reach/port-map.ts'
export type { NodeOptions, NodeStatus, RunningNode } from './node-types.ts'
export type { SocketAddress } from './socket-address.ts'
export type { MoneyStatus, MoneyStore, NodePaymentOptions } from './money/node-money-types.ts'
export { nodeError } from './errors.ts'
export { findNodeId, openIdentity } from './identity-store.ts'
export type { EditionPair } from './directory/evidence-file.ts'
export type { OwnOrigin } from './directory/own-origin.ts'
export type { NodeError } from './errors.ts'
export { exitError } from './exit/exit-errors.ts'
export type { ExitError } from './exit/exit-errors.ts'
export { createExitService } from './exit/exit-service.ts'
export type {
  ExitService,
  ExitServiceDeps,
  ExitServiceOptions,
  ExitStatus,
  MemoryOwner,
} from './exit/exit-service.ts'
export { runPolicyCheck } from './exit/policy-check.ts'
export type { PolicyCheckArgs, PolicyCheckResult } from './exit/policy-check.ts'
export type { BatchPolicy, GasWorth } from './redemption/batching.ts'
export { createFeeKeeper } from './redemption/fee-keeper.ts'
export type { FeeKeeper, FeeKeeperDeps } from './redemption/fee-keeper.ts'
export { bookGas } from './redemption/gas-paid.ts'
export { createGasWatch } from './redemption/gas-watch.ts'
export type { GasState, GasWatch, GasWatchDeps } from './redemption/gas-watch.ts'
export { isPassing } from './redemption/passing.ts'
export { createPayoutWatch } from './redemption/payout-watch.ts'
export type { PayoutChange, PayoutWatch, PayoutWatchDeps } from './redemption/payout-watch.ts'
export { keepRedeeming } from './redemption/keep-redeeming.ts'
export type { RedeemingOptions, RunningRedemption } from './redemption/keep-redeeming.ts'
export type { RedemptionAlert, RedemptionDeps } from './redemption/ports.ts'
export { createRedeemerService } from './redemption/redeemer-service.ts'
export type { RedeemerService, RedeemerServiceDeps } from './redemption/redeemer-service.ts'
export { createRelayer } from './redemption/relayer.ts'
export type { Relayer, RelayerDeps } from './redemption/relayer.ts'
export { createRedeemers } from './redemption/redeemers.ts'
export type { OrderTerms, Redeemers, RedeemersDeps } from './redemption/redeemers.ts'
export { SYSTEM_CLOCK } from './share/local-time.ts'
export type { LocalClock, LocalTime } from './share/local-time.ts'
export { parseQuietSpan } from './share/quiet-hours.ts'
export type { QuietSpan } from './share/quiet-hours.ts'
export { openShareKeeper } from './share/share-keeper.ts'
export type { ShareKeeper, ShareKeeperDeps, SharingNode } from './share/share-keeper.ts'
export type { ShareReason, ShareRules, ShareState } from './share/share-plan.ts'
export { createDoubleEditions } from './redemption/double-editions.ts'
export type { DoubleEditions, DoubleEditionsDeps } from './redemption/double-editions.ts'
export { createRedemption } from './redemption/redemption.ts'
export {
  createEpochKeeper,
  type EpochKeeper,
  type EpochKeeperDeps,
  type ServiceAlert,
  type DrawnCommitment,
  type ServiceProver,
} from './redemption/epoch-keeper.ts'
export type { ProofShelf } from './redemption/proof-links.ts'
export { createRootKeeper } from './redemption/root-keeper.ts'
export type { RootKeeper, RootKeeperDeps } from './redemption/root-keeper.ts'
export type { Redemption, RedemptionStatus } from './redemption/redemption.ts'
