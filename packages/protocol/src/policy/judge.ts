/**
 * The exit policy (SPEC §11): one function decides for BEGIN, RESOLVE and `byway policy check`.
 *
 * Order, first fault wins: (1) the text of the host: zone id, then the name rules of `name.ts`, then the operator's names; (2) every
 * address, in the order of the answer: an allowed target passes, then the tables of `ranges.ts`, the own network, the operator's
 * prefixes, the relays of the network (`context.ts`), and IPv6 being off; (3) the port (`ports.ts`). One address that is not public
 * refuses the whole name: that is how rebinding looks. The pin is the first usable address, and the caller connects to nothing else.
 * Not here: looking up, connecting, and limits on how often (`packages/node/src/exit`); dialling nodes is `dial.ts`.
 */
import { formatAddress, type IpAddress, parseAddress } from './address.ts'
import { cidrHolds } from './cidr.ts'
import {
  EMPTY_CONTEXT,
  endpointKey,
  isAllowTarget,
  isDeniedDomain,
  ownNetworkReason,
  type PolicyContext,
} from './context.ts'
import { judgeName } from './name.ts'
import { NAT64_WELL_KNOWN, unwrapNat64 } from './nat64.ts'
import { judgePort, type PortProfile } from './ports.ts'
import { specialRange } from './ranges.ts'
import type { DenyReason } from './reason.ts'

/** What a stream asks for. */
export type PolicyRequest = {
  /** An address literal or a host name, as the client sent it. */
  readonly host: string
  readonly port: number
  /** @default 'web' */
  readonly profile?: PortProfile | undefined
  /** @default the empty context: only the public tables */
  readonly context?: PolicyContext | undefined
}

/** What a name resolved to; of a list of lookups only the first is ever used. Ignored when the host is a literal. */
export type Answers = readonly string[] | readonly (readonly string[])[]

/** A refusal. */
export type Denial = { readonly verdict: 'deny'; readonly reason: DenyReason }

/** A verdict with every address that may be connected to, in the order of the answer; at least one. */
export type TargetVerdict =
  | {
      readonly verdict: 'allow'
      readonly reason: 'ok'
      readonly pins: readonly [IpAddress, ...IpAddress[]]
    }
  | Denial

/** A verdict with the one address to connect to. */
export type Verdict =
  | { readonly verdict: 'allow'; readonly reason: 'ok'; readonly pin: string }
  | Denial

/** A verdict before any lookup; `resolve` says that the name may be looked up once and its answers judged. */
export type RequestVerdict = TargetVerdict | { readonly verdict: 'resolve'; readonly name: string }

/** Judges a destination together with what its name resolved to. A name without answers is refused. Never throws. */
export function judge(
  request: PolicyRequest & { readonly answers?: Answers | undefined },
): Verdict {
  const verdict = judgeTargets(request, request.answers ?? [])
  if (verdict.verdict === 'deny') return verdict
  return { verdict: 'allow', reason: 'ok', pin: formatAddress(verdict.pins[0]) }
}

/** {@link judge} for callers that may try several addresses (RFC 8305): all pins have been judged. */
export function judgeTargets(request: PolicyRequest, answers: Answers): TargetVerdict {
  const host = readHost(request)
  if ('verdict' in host) return host
  if ('address' in host) return judgeAddresses([host.address], request)
  const parsed = firstLookup(answers).map((text) => parseAddress(text))
  const addresses = parsed.filter((address) => address !== undefined)
  return addresses.length < parsed.length ? deny('bad-answer') : judgeAddresses(addresses, request)
}

/** Judges what can be judged before a lookup, so that a refused port or name never causes one. */
export function judgeRequest(request: PolicyRequest): RequestVerdict {
  const host = readHost(request)
  if ('verdict' in host) return host
  if ('address' in host) return judgeAddresses([host.address], request)
  const reason = judgePort(request.port, request.profile ?? 'web')
  const mayBeAllowed = reason === 'port' && contextOf(request).allowTargets.size > 0
  return reason === undefined || mayBeAllowed
    ? { verdict: 'resolve', name: host.name }
    : deny(reason)
}

function readHost(request: PolicyRequest): { address: IpAddress } | { name: string } | Denial {
  const address = parseAddress(request.host)
  if (address !== undefined) return { address }
  if (isZoned(request.host)) return deny('zone-id')
  const name = judgeName(request.host)
  if ('reason' in name) return deny(name.reason)
  return isDeniedDomain(name.name, contextOf(request)) ? deny('operator-name') : name
}

function judgeAddresses(addresses: readonly IpAddress[], request: PolicyRequest): TargetVerdict {
  const context = contextOf(request)
  if (addresses.length === 0) return deny('no-answer')
  for (const address of addresses) {
    const reason = judgeAddress(address, request.port, context)
    if (reason !== undefined) return deny(reason)
  }
  const usable = addresses.filter(
    (a) => a.family === 4 || context.ipv6 || isAllowTarget(a, request.port, context),
  )
  if (usable.length === 0) return deny('ipv6-off')
  const portReason = judgePort(request.port, request.profile ?? 'web')
  const open =
    portReason === 'port' ? usable.filter((a) => isAllowTarget(a, request.port, context)) : usable
  const [first, ...others] = open
  if (portReason !== undefined && (portReason !== 'port' || first === undefined))
    return deny(portReason)
  return first === undefined
    ? deny('no-answer')
    : { verdict: 'allow', reason: 'ok', pins: [first, ...others] }
}

function judgeAddress(
  address: IpAddress,
  port: number,
  context: PolicyContext,
): DenyReason | undefined {
  if (isAllowTarget(address, port, context)) return undefined
  const judged = context.nat64Unwrap ? unwrapped(address, context) : address
  if (judged === undefined) return 'nat64'
  const reason = specialRange(judged) ?? ownNetworkReason(judged, context)
  if (reason !== undefined) return reason
  if (context.denyCidrs.some((cidr) => cidrHolds(cidr, judged))) return 'operator-address'
  return context.relays.has(endpointKey(judged, port)) ? 'relay' : undefined
}

/** The IPv4 address behind a NAT64 address, the address itself when it is none, `undefined` when it is malformed. */
function unwrapped(address: IpAddress, context: PolicyContext): IpAddress | undefined {
  const prefix = [...context.nat64, NAT64_WELL_KNOWN].find((cidr) => cidrHolds(cidr, address))
  return prefix === undefined ? address : unwrapNat64(address, prefix.bits)
}

function isZoned(host: string): boolean {
  const [address = '', zone] = host.split('%', 2)
  return zone !== undefined && address.includes(':') && parseAddress(address) !== undefined
}

function firstLookup(answers: Answers): readonly string[] {
  const texts: string[] = []
  for (const entry of answers) {
    if (typeof entry !== 'string') return texts.length === 0 ? entry : texts
    texts.push(entry)
  }
  return texts
}

function contextOf(request: PolicyRequest): PolicyContext {
  return request.context ?? EMPTY_CONTEXT
}

function deny(reason: DenyReason): Denial {
  return { verdict: 'deny', reason }
}
