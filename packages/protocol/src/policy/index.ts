/** Public entry of the exit policy: what may be dialled, looked up and connected to. Pure; see `judge.ts` for the order of rules. */
export { formatAddress, type IpAddress, isSameAddress, parseAddress } from './address.ts'
export { type Cidr, cidrAround, cidrHolds, formatCidr, parseCidr } from './cidr.ts'
export {
  type AllowTarget,
  EMPTY_CONTEXT,
  isAllowTarget,
  ownNetworkReason,
  type OwnNetworkFacts,
  type ParsedContext,
  parsePolicyContext,
  type PolicyContext,
  type PolicyFacts,
} from './context.ts'
export { judgeDial } from './dial.ts'
export {
  type Answers,
  type Denial,
  judge,
  judgeRequest,
  judgeTargets,
  type PolicyRequest,
  type RequestVerdict,
  type TargetVerdict,
  type Verdict,
} from './judge.ts'
export { judgeName, type NameVerdict } from './name.ts'
export { findNat64Prefixes, NAT64_PREFIX_BITS, unwrapNat64 } from './nat64.ts'
export {
  HARD_DENIED_PORTS,
  judgePortNumber,
  parsePortProfile,
  PORT_PROFILES,
  type PortProfile,
  type PortRange,
} from './ports.ts'
export { type DeniedRange, IPV4_DENIED, IPV6_DENIED, IPV6_GLOBAL, specialRange } from './ranges.ts'
export type { DenyReason } from './reason.ts'
