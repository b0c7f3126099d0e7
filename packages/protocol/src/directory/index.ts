/** Public entry of the directory: who is in the network, and which paths through it are allowed. */
export type {
  AsnRow,
  BootstrapNode,
  ExitTarget,
  NetworkEdition,
  NetworkParameters,
  PaymentParameters,
  ServiceProofParameters,
} from './network-parameters.ts'
export {
  type AddressOrigin,
  cityKey,
  type AsnTable,
  createAsnTable,
  prefixGroupOf,
  toIpAddress,
  toIpBytes,
} from './asn-table.ts'
export {
  createOriginSource,
  type KnownOrigin,
  type OriginAuthority,
  type OriginBook,
  type OriginBooks,
  type OriginSource,
} from './address-origin.ts'
export { KM_PER_RTT_MS, leastKmBetween } from './distance.ts'
export { type JudgedPlace, type PlaceAuthority, placeOf } from './claimed-place.ts'
export {
  addressNumber,
  addressReasons,
  type AddressRecord,
  type AddressReason,
  noteAddress,
  shortLivedBlocks,
} from './address-history.ts'
export {
  type LateReason,
  type LineGrade,
  type LineHint,
  lineHintOf,
  type LineReason,
  type LineSeen,
} from './line-hint.ts'
export {
  createDescriptorSet,
  type DescriptorSet,
  type DescriptorSetOptions,
  type DirectoryEntry,
  type Evidence,
  MAX_EVIDENCE,
  type OfferResult,
} from './descriptor-set.ts'
export { offerUntilForged } from './offer-until-forged.ts'
export { ITEM_HEADER_BYTES, joinDescriptors, splitDescriptors } from './descriptor-list.ts'
export type { DirectoryError } from './errors.ts'
export { exitAddressesOf, exitNameOf, exitPageS, NO_SALT } from './exit-name.ts'
export {
  type ExitChain,
  type ExitChainFault,
  type ExitPage,
  isExitFork,
  judgeExitChain,
  makeExitPage,
  readExitHead,
} from './exit-page.ts'
export {
  type ExitProofFault,
  type ExitProofVerdict,
  judgeExitProof,
  type ShownExit,
} from './exit-proof.ts'
export {
  createExitSpans,
  exitEntryOf,
  type ExitSpan,
  type ExitSpanChange,
  type ExitSpans,
} from './exit-spans.ts'
export { createMerkleTree, merkleRootOf, type MerkleTree } from './merkle-tree.ts'
export { type ExitRequest, type ExitRule, exitsFor, opensPort, takesClass } from './exit-rules.ts'
export {
  EMPTY_GUARD_STATE,
  type GuardState,
  MAX_SAMPLE,
  parseGuardState,
  type SampledGuard,
} from './guard-state.ts'
export { fairWeights, MAX_GROUP_SHARE } from './fair-share.ts'
export {
  guardEntries,
  type GuardHealth,
  type GuardRefresh,
  noteLinkFailed,
  noteLinkOpened,
  primaryGuards,
  refreshGuards,
} from './guards.ts'
export { type NodeKey, nodeKeyOf, parseNodeKey } from './node-key.ts'
export {
  choosePath,
  type PathInput,
  type PathRequest,
  type PathResult,
  type PathRule,
} from './path.ts'
export { type Moment, NO_MOMENT, placeWeights } from './place-shares.ts'
export {
  createPathNodeSet,
  mayShareCircuit,
  type NodeFacts,
  type NodeStanding,
  type PathNode,
  type PathNodeSet,
  type SeenPlaceOf,
  toPathNode,
} from './path-node.ts'
export {
  createStakeTable,
  type ProvenChange,
  type StakeChange,
  type StakeClaim,
  type StakeRecord,
  type OwnerOf,
  ownersIn,
  type StakeSource,
  type StakeTable,
  type StakeView,
} from './stake-table.ts'
export {
  PROVEN_WINDOW_EPOCHS,
  type ProvenEpoch,
  type ProvenService,
  provenService,
} from './proven-service.ts'
export {
  type Doubter,
  lastingFactor,
  noteSighting,
  remainingMsOf,
  type Sighting,
  stayChanceOf,
  type UptimeRecord,
} from './uptime.ts'
export {
  agreedRatio,
  hearLateness,
  hearRatio,
  isLatency,
  latenessOf,
  type SpeedVoice,
} from './speed-voice.ts'
export {
  CLOCK_TOLERANCE_S,
  type DescriptorFault,
  type DescriptorVerdict,
  verifyDescriptor,
} from './verify-descriptor.ts'
export { drawWeighted, chooseWeighted, type UnitRandom, unitRandom } from './weighted-choice.ts'
export {
  NEW_NODE_WEIGHT,
  type NodeRecord,
  type Observation,
  goodputOf,
  observeNode,
  successFactor,
  weightOfNode,
} from './weights.ts'
