/**
 * Keeps the policy's context true: reads the host's own network on start, every 60 s and on demand, joins it with what the operator
 * and the network file fixed and with the registered relays, and tells when the own network moved.
 *
 * The delegated /56 is derived from the addresses by the policy itself. An exit must carry nothing while {@link OwnNetwork.unknown} names
 * something; the node decides, since a network file may say that the whole network is on the loopback.
 */
import { assert } from '@byway/protocol/base'
import {
  type OwnNetworkFacts,
  parseAddress,
  parsePolicyContext,
  type PolicyContext,
  type PolicyFacts,
} from '@byway/protocol/policy'
import { type OwnFactsDeps, readOwnFacts } from './own-facts.ts'

/** What could not be determined. */
export type UnknownFact = 'interfaces' | 'public-address'

/** The watched network of this host. */
export interface OwnNetwork {
  /** The context of the moment; before the first {@link refresh} it knows only the fixed facts. */
  context(): PolicyContext
  /** What is not known; an exit that serves the public carries only while this is empty. */
  unknown(): readonly UnknownFact[]
  /** Reads everything again. Never rejects: what cannot be read keeps its last value. */
  refresh(): Promise<void>
  /** Refreshes now and every interval until disposed. */
  start(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Needs of the watch. */
export type OwnNetworkDeps = OwnFactsDeps & {
  /** Listeners of the registered relays, asked at each refresh; entries that are no endpoint are passed over. */
  readonly relays: () => readonly (readonly [address: string, port: number])[]
  /** Called after the own network changed: streams into it must be judged again and cut. */
  readonly onChange?: ((context: PolicyContext) => void) | undefined
}

/** The operator's and the network file's facts, and local limits. */
export type OwnNetworkOptions = {
  /** IPv6 (off unless `true` here), allowed targets, denials, and own addresses known beforehand. Must be well formed. */
  readonly fixedFacts?: PolicyFacts | undefined
  /** A new prefix is denied within this time. @default 60000 */
  readonly intervalMs?: number | undefined
}

/** Creates the watch; nothing is read before `refresh` or `start`. */
export function createOwnNetwork(
  deps: OwnNetworkDeps,
  options: OwnNetworkOptions = {},
): OwnNetwork {
  const { fixedFacts = {}, intervalMs = 60_000 } = options
  let own: OwnNetworkFacts | undefined
  let context = joinContext(fixedFacts, {})
  let timer: NodeJS.Timeout | undefined
  let lastSeen: readonly string[] = []

  /** Neighbours come and go; the line's address stays what they last agreed on. */
  function seenAddresses(): readonly string[] {
    const agreed = deps.seenAddresses()
    if (agreed.length > 0) lastSeen = agreed
    return lastSeen
  }

  async function refresh(): Promise<void> {
    const next = await readOwnFacts({ ...deps, seenAddresses }, own ?? {})
    const isChanged = own !== undefined && JSON.stringify(own) !== JSON.stringify(next)
    own = next
    context = joinContext(fixedFacts, { ...next, relays: deps.relays().filter(isEndpoint) })
    if (isChanged) deps.onChange?.(context)
  }

  return {
    context: () => context,
    unknown() {
      const interfaceCount = (own?.v4?.length ?? 0) + (own?.v6?.length ?? 0)
      const unknown: UnknownFact[] = []
      if (interfaceCount === 0) unknown.push('interfaces')
      if (seenAddresses().length === 0) unknown.push('public-address')
      return unknown
    },
    refresh,
    async start() {
      await refresh()
      timer ??= setInterval(() => void refresh(), intervalMs).unref()
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      timer = undefined
      return Promise.resolve()
    },
  }
}

/** Joins what was fixed with what was read, list by list. */
function joinContext(fixed: PolicyFacts, own: OwnNetworkFacts): PolicyContext {
  const lists = OWN_KEYS.map((key) => [key, [...(fixed.self?.[key] ?? []), ...(own[key] ?? [])]])
  // Off unless the operator turns it on: the delegated prefix of a home is a guess.
  const ipv6 = fixed.ipv6 ?? false
  const parsed = parsePolicyContext({ ...fixed, ipv6, self: Object.fromEntries(lists) })
  assert('context' in parsed, 'the facts of the own network are well formed')
  return parsed.context
}

function isEndpoint([address, port]: readonly [string, number]): boolean {
  const isPort = Number.isInteger(port) && port >= 1 && port <= 65_535
  return isPort && parseAddress(address) !== undefined
}

const OWN_KEYS = [
  'publicV4',
  'v4',
  'v6',
  'delegated',
  'gateways',
  'dnsServers',
  'relays',
  'nat64',
] as const satisfies readonly (keyof OwnNetworkFacts)[]
