/**
 * What the client refuses by itself, before anything leaves the machine: names that
 * only mean something on the local network, `.onion`, private literals, and the proxy itself. The tables
 * are the policy's; the exit judges again, and by more rules (SPEC §11).
 * @module
 */
import { formatAddress, judgeName, parseAddress, specialRange } from '@byway/protocol/policy'
import type { Target } from './dialer.ts'

/** Why a destination is refused on this side. */
export type TargetRefusal =
  | 'TARGET_BAD_NAME'
  | 'TARGET_BAD_PORT'
  | 'TARGET_ONION'
  | 'TARGET_LOCAL_NAME'
  | 'TARGET_PRIVATE_ADDRESS'
  | 'TARGET_LITERAL'
  | 'TARGET_LOOP'

/** The outcome of {@link TargetRules}. */
export type TargetVerdict =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly code: TargetRefusal }

/** Judges a destination as an app wrote it. */
export type TargetRules = (host: string, port: number) => TargetVerdict

/** What {@link createTargetRules} needs to know. */
export type TargetRulesOptions = {
  /** Exact destinations that are served although private: the origin of a local test network. */
  readonly allowTargets: readonly Target[]
  /** The proxy's own listening address, once it is known. */
  readonly ownAddress: () => Target | undefined
}

/** Makes the rules for one listener. The target of a verdict is in canonical form. */
export function createTargetRules(options: TargetRulesOptions): TargetRules {
  const allowed = new Set(
    options.allowTargets.map((each) => keyOf(canonicalHost(each.host), each.port)),
  )
  return (rawHost, port) => {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return refuse('TARGET_BAD_PORT')
    const host = canonicalHost(rawHost)
    const own = options.ownAddress()
    if (own !== undefined && own.port === port && isSelf(host, own)) return refuse('TARGET_LOOP')
    const target = { host, port }
    if (allowed.has(keyOf(host, port))) return { ok: true, target }
    const code = refusalFor(host)
    return code === undefined ? { ok: true, target } : refuse(code)
  }
}

/** True for an IP literal. */
export function isLiteral(host: string): boolean {
  return parseAddress(host) !== undefined
}

/** One spelling for each host: names in lower case without the final dot, addresses as the policy writes them. */
export function canonicalHost(host: string): string {
  const address = parseAddress(host)
  if (address !== undefined) return formatAddress(address)
  const lower = host.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

function refusalFor(host: string): TargetRefusal | undefined {
  const address = parseAddress(host)
  if (address !== undefined) {
    return specialRange(address) === undefined ? undefined : 'TARGET_PRIVATE_ADDRESS'
  }
  const verdict = judgeName(host)
  if (!('reason' in verdict)) return undefined
  if (host.endsWith('.onion')) return 'TARGET_ONION'
  const isLocal = verdict.reason === 'special-name' || verdict.reason === 'single-label'
  return isLocal ? 'TARGET_LOCAL_NAME' : 'TARGET_BAD_NAME'
}

function isSelf(host: string, own: Target): boolean {
  if (host === own.host || host === 'localhost') return true
  const isAnyAddress = own.host === '0.0.0.0' || own.host === '::'
  const address = parseAddress(host)
  return isAnyAddress && address !== undefined && specialRange(address) === 'loopback'
}

function keyOf(host: string, port: number): string {
  return `${host} ${port}`
}

function refuse(code: TargetRefusal): TargetVerdict {
  return { ok: false, code }
}
