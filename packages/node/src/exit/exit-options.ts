import type { TrafficClass } from '@byway/protocol/wire'

/** What the operator chose for the exit role. */
export type ExitRoleOptions = {
  readonly profile: 'web' | 'reduced'
  /** Traffic classes that it takes (SPEC §10.1). @default browse */
  readonly classes?: readonly TrafficClass[] | undefined
  /** Price step of a class, not below the node's. @default the node's */
  readonly classPrices?: Partial<Record<TrafficClass, number | undefined>> | undefined
  /** UDP flows. @default false */
  readonly datagrams?: boolean | undefined
  /** IPv6 destinations. @default false */
  readonly ipv6?: boolean | undefined
  /** Resolvers to ask: `address`, `address:port` or `[address]:port`, port 53 unless named. @default the system's */
  readonly dnsServers?: readonly string[] | undefined
  /** Prefixes refused on top of the policy's own. @default [] */
  readonly denyPrefixes?: readonly string[] | undefined
  /** Names refused together with everything below them. @default [] */
  readonly denyNames?: readonly string[] | undefined
}
