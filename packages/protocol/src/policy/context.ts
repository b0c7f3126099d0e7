/**
 * What the policy knows about this node: its own network (SPEC §11), the network's relays, the operator's own denials and the
 * exceptions that a network file names. Parsed once from the plain shape of `ctx` in `vectors/exit-policy.json`, then asked often.
 *
 * The prefix delegated to a home is derived here: around each own global IPv6 address the /56 is denied, since an IPv6 home has
 * no NAT in front of its devices. Collecting the facts is the node's work (`packages/node/src/exit/own-network.ts`).
 */
import { type IpAddress, isSameAddress } from './address.ts'
import { type Cidr, cidrAround, cidrHolds } from './cidr.ts'
import { judgeName } from './name.ts'
import { NAT64_PREFIX_BITS } from './nat64.ts'
import { specialRange } from './ranges.ts'
import { readContextShape } from './context-shape.ts'
import type { OwnNetworkReason } from './reason.ts'

/** One origin on the loopback that a network file opens to exits by name; the only exception there is. */
export type AllowTarget = { readonly address: string; readonly port: number }

/** The facts of one node, as text: the shape of `ctx` in the vectors and of `--context FILE`. Absent means none. */
export type PolicyFacts = {
  readonly self?: OwnNetworkFacts | undefined
  /** `false` refuses IPv6 destinations; the exit's default, set by the node. @default true */
  readonly ipv6?: boolean | undefined
  /** `true` judges a NAT64 address by the IPv4 address inside it instead of refusing it. @default false */
  readonly nat64Unwrap?: boolean | undefined
  /** Length of the prefix assumed delegated around each own global IPv6 address, 48 to 64. @default 56 */
  readonly delegatedBits?: number | undefined
  readonly allowTargets?: readonly AllowTarget[] | undefined
  /** Private prefixes in which nodes may dial each other, as the network file names them; exits never use them. */
  readonly reachablePrefixes?: readonly string[] | undefined
  readonly denyCidrs?: readonly string[] | undefined
  /** Names refused together with everything below them. */
  readonly denyDomains?: readonly string[] | undefined
}

/** Own addresses and neighbours. Entries are addresses, or `address/length` where the interface's prefix is known. */
export type OwnNetworkFacts = {
  readonly publicV4?: readonly string[] | undefined
  readonly v4?: readonly string[] | undefined
  readonly v6?: readonly string[] | undefined
  readonly delegated?: readonly string[] | undefined
  readonly gateways?: readonly string[] | undefined
  readonly dnsServers?: readonly string[] | undefined
  /** Listeners of registered relays: an exit does not re-enter the network (SPEC §11). */
  readonly relays?: readonly (readonly [address: string, port: number])[] | undefined
  readonly nat64?: readonly string[] | undefined
}

/** {@link PolicyFacts}, parsed. */
export type PolicyContext = {
  readonly ipv6: boolean
  readonly nat64Unwrap: boolean
  readonly self: readonly IpAddress[]
  readonly gateways: readonly IpAddress[]
  readonly dnsServers: readonly IpAddress[]
  readonly onLink: readonly Cidr[]
  readonly delegated: readonly Cidr[]
  readonly nat64: readonly Cidr[]
  /** Keys made by {@link endpointKey}. */
  readonly relays: ReadonlySet<string>
  readonly allowTargets: ReadonlySet<string>
  readonly reachable: readonly Cidr[]
  readonly denyCidrs: readonly Cidr[]
  readonly denyDomains: readonly string[]
}

/** A parsed context, or the path of the first field that is not understood. */
export type ParsedContext = { readonly context: PolicyContext } | { readonly faultPath: string }

/** Parses the facts. Unknown keys are faults: a misspelt denial must not pass for none. Never throws. */
export function parsePolicyContext(facts: unknown): ParsedContext {
  const shape = readContextShape(facts)
  if ('faultPath' in shape) return shape
  const { self, addresses } = shape
  const own = addresses.filter((entry) => entry.address.family === 6 && isGlobal(entry.address))
  const nat64Fault = self.nat64.findIndex((cidr) => !isNat64Prefix(cidr))
  if (nat64Fault >= 0) return { faultPath: `self.nat64[${nat64Fault}]` }
  const targetFault = shape.allowTargets.findIndex((target) => !isLoopback(target.address))
  if (targetFault >= 0) return { faultPath: `allowTargets[${targetFault}].address` }
  const domains = shape.denyDomains.map((text) => judgeName(text))
  const domainFault = domains.findIndex((verdict) => !('name' in verdict))
  if (domainFault >= 0) return { faultPath: `denyDomains[${domainFault}]` }
  return {
    context: {
      ipv6: shape.ipv6,
      nat64Unwrap: shape.nat64Unwrap,
      self: addresses.map((entry) => entry.address),
      gateways: self.gateways,
      dnsServers: self.dnsServers,
      onLink: addresses.flatMap((entry) => (entry.onLink === undefined ? [] : [entry.onLink])),
      delegated: [...self.delegated, ...own.map((e) => cidrAround(e.address, shape.delegatedBits))],
      nat64: self.nat64,
      relays: keysOf(self.relays),
      allowTargets: keysOf(shape.allowTargets),
      reachable: shape.reachablePrefixes,
      denyCidrs: shape.denyCidrs,
      denyDomains: domains.flatMap((verdict) => ('name' in verdict ? [verdict.name] : [])),
    },
  }
}

/** The context of a node that knows nothing about itself: only the public tables apply. */
export const EMPTY_CONTEXT: PolicyContext = {
  ipv6: true,
  nat64Unwrap: false,
  self: [],
  gateways: [],
  dnsServers: [],
  onLink: [],
  delegated: [],
  nat64: [],
  relays: new Set(),
  allowTargets: new Set(),
  reachable: [],
  denyCidrs: [],
  denyDomains: [],
}

/** Says whether the address is this node's own or its neighbourhood's; the narrowest reason first. */
export function ownNetworkReason(
  address: IpAddress,
  context: PolicyContext,
): Exclude<OwnNetworkReason, 'relay'> | undefined {
  if (context.self.some((own) => isSameAddress(own, address))) return 'self'
  if (context.gateways.some((gateway) => isSameAddress(gateway, address))) return 'gateway'
  if (context.dnsServers.some((server) => isSameAddress(server, address))) return 'dns-server'
  if (context.onLink.some((cidr) => cidrHolds(cidr, address))) return 'on-link'
  if (context.delegated.some((cidr) => cidrHolds(cidr, address))) return 'delegated6'
  if (context.nat64.some((cidr) => cidrHolds(cidr, address))) return 'nat64-discovered'
  return undefined
}

/** True when the operator denied the name or one above it. */
export function isDeniedDomain(name: string, context: PolicyContext): boolean {
  return context.denyDomains.some((domain) => name === domain || name.endsWith(`.${domain}`))
}

/** True when the network file opens this very origin to exits. */
export function isAllowTarget(address: IpAddress, port: number, context: PolicyContext): boolean {
  return context.allowTargets.size > 0 && context.allowTargets.has(endpointKey(address, port))
}

/** Names an (address, port) for set look-ups; independent of how the address was written. */
export function endpointKey(address: IpAddress, port: number): string {
  return `${address.family}/${address.value.toString(16)}/${port}`
}

function keysOf(list: readonly { address: IpAddress; port: number }[]): ReadonlySet<string> {
  return new Set(list.map(({ address, port }) => endpointKey(address, port)))
}

function isGlobal(address: IpAddress): boolean {
  return specialRange(address) === undefined
}

function isLoopback(address: IpAddress): boolean {
  return specialRange(address) === 'loopback'
}

function isNat64Prefix(cidr: Cidr): boolean {
  return cidr.base.family === 6 && NAT64_PREFIX_BITS.includes(cidr.bits)
}
