/**
 * The exit's own stub resolver: A and, when asked, AAAA from configured servers, in five seconds altogether.
 *
 * No hosts file, no search list, no mDNS: the name is asked as it is. Servers are tried in turn, twice, the second time without EDNS; a truncated reply is asked again
 * over TCP; aliases are followed inside an answer and across one further query, whose name is judged first. The addresses come
 * back unjudged: `connect-pinned.ts` judges every one. Caching is `dns-cache.ts`.
 */
import { judgeName } from '@byway/protocol/policy'
import { followChain } from './dns-chain.ts'
import {
  type DnsQuery,
  type DnsReply,
  type DnsType,
  encodeDnsQuery,
  mixCase,
} from './dns-message.ts'
import { type DnsServer, exchangeTcp, exchangeUdp } from './dns-transport.ts'
import { exitError, isExitError } from './exit-errors.ts'

/** What a lookup found. */
export type DnsLookup = {
  /** Address literals as they stood in the answer, A before AAAA; at least one, none of them judged. */
  readonly addresses: readonly string[]
  readonly ttlMs: number
}

/** Looks a name up; the port that `connect-pinned.ts` and the cache depend on. */
export interface DnsResolver {
  /**
   * @param name - lower case, judged, without the trailing dot
   * @throws NODE_EXIT_RESOLVE when the name has no usable answer; NODE_EXIT_DNS_UNAVAILABLE when no server gave one; the signal's reason
   */
  lookup(name: string, families: readonly (4 | 6)[], signal?: AbortSignal): Promise<DnsLookup>
}

/** Needs of the stub. */
export type DnsStubDeps = {
  /** Returns `count` random bytes. */
  readonly randomBytes: (count: number) => Uint8Array
  /** Servers of the moment, best first; at most three are asked. */
  readonly servers: () => readonly DnsServer[]
}

/** Local limits (tunable). */
export type DnsStubOptions = {
  /** For the whole lookup, aliases and retries included. @default 5000 */
  readonly timeoutMs?: number | undefined
  /** For one exchange with one server. @default 1500 */
  readonly attemptTimeoutMs?: number | undefined
  /** Random letter case as further entropy; some forwarders do not keep it. @default false */
  readonly randomCase?: boolean | undefined
}

/** Creates a stub resolver. It holds no state between lookups. */
export function createDnsStub(deps: DnsStubDeps, options: DnsStubOptions = {}): DnsResolver {
  const { timeoutMs = 5000, attemptTimeoutMs = 1500, randomCase = false } = options

  function makeQuery(name: string, type: DnsType, form: 'edns' | 'plain'): DnsQuery {
    const [high = 0, low = 0, ...rest] = deps.randomBytes(2 + 32)
    const spelled = randomCase ? mixCase(name, Uint8Array.from(rest)) : name
    return encodeDnsQuery((high << 8) | low, spelled, type, form)
  }

  async function askServer(
    server: DnsServer,
    name: string,
    type: DnsType,
    form: 'edns' | 'plain',
    signal: AbortSignal,
  ): Promise<DnsReply> {
    const attempt = AbortSignal.any([signal, AbortSignal.timeout(attemptTimeoutMs)])
    const reply = await exchangeUdp(server, makeQuery(name, type, form), attempt)
    if (reply.kind !== 'truncated') return reply
    return exchangeTcp(server, makeQuery(name, type, form), attempt)
  }

  /** Asks server after server until one gives an answer or says that the name does not exist. */
  async function ask(name: string, type: DnsType, signal: AbortSignal): Promise<DnsReply> {
    const servers = deps.servers().slice(0, MAX_SERVERS)
    let attempts = 0
    let lastError: unknown
    for (const server of [...servers, ...servers]) {
      const form = attempts < servers.length ? 'edns' : 'plain'
      attempts++
      try {
        const reply = await askServer(server, name, type, form, signal)
        if (reply.kind === 'answer') return reply
        if (reply.kind === 'failed' && reply.rcode === 'NXDOMAIN') return reply
        lastError = exitError('NODE_EXIT_DNS_REPLY', { what: 'rcode' })
      } catch (error) {
        if (signal.aborted) throw error
        lastError = error
      }
    }
    throw exitError('NODE_EXIT_DNS_UNAVAILABLE', { attempts }, { cause: lastError })
  }

  async function lookupType(name: string, type: DnsType, signal: AbortSignal): Promise<DnsLookup> {
    let asked = name
    let ttlSeconds = Number.POSITIVE_INFINITY
    for (let chain = 0; chain < MAX_CHAINS; chain++) {
      const reply = await ask(asked, type, signal)
      if (reply.kind !== 'answer') throw exitError('NODE_EXIT_RESOLVE', { why: 'nxdomain' })
      const end = followChain(asked, type, reply.records)
      if (end.kind === 'fault') throw exitError('NODE_EXIT_RESOLVE', { why: 'chain' })
      if (end.kind === 'no-data') return { addresses: [], ttlMs: 0 }
      ttlSeconds = Math.min(ttlSeconds, end.ttlSeconds)
      if (end.kind === 'addresses') return { addresses: end.addresses, ttlMs: ttlSeconds * 1000 }
      const target = judgeName(end.target)
      if (!('name' in target)) throw exitError('NODE_EXIT_RESOLVE', { why: 'answer' })
      asked = target.name
    }
    throw exitError('NODE_EXIT_RESOLVE', { why: 'chain' })
  }

  return {
    async lookup(name, families, signal) {
      const deadline = AbortSignal.timeout(timeoutMs)
      const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
      const types = families
        .toSorted((a, b) => a - b)
        .map((family): DnsType => (family === 4 ? 'A' : 'AAAA'))
      const results = await Promise.allSettled(types.map((type) => lookupType(name, type, either)))
      signal?.throwIfAborted()
      return mergeLookups(results, types.length)
    },
  }
}

/** One family's failure does not hide the other's addresses; with none at all the most telling failure is thrown. */
function mergeLookups(
  results: readonly PromiseSettledResult<DnsLookup>[],
  asked: number,
): DnsLookup {
  const found = results.flatMap((r) =>
    r.status === 'fulfilled' && r.value.addresses.length > 0 ? [r.value] : [],
  )
  if (found.length > 0) {
    return {
      addresses: found.flatMap((lookup) => lookup.addresses),
      ttlMs: Math.min(...found.map((lookup) => lookup.ttlMs)),
    }
  }
  const errors = results.flatMap((r): readonly unknown[] =>
    r.status === 'rejected' ? [r.reason] : [],
  )
  const telling = errors.find((error) => isExitError(error, 'NODE_EXIT_RESOLVE'))
  if (telling !== undefined) throw telling
  if (errors.length === 0) throw exitError('NODE_EXIT_RESOLVE', { why: 'no-data' })
  const known = errors.find((error) => isExitError(error, 'NODE_EXIT_DNS_UNAVAILABLE'))
  throw known ?? exitError('NODE_EXIT_DNS_UNAVAILABLE', { attempts: asked }, { cause: errors[0] })
}

// Local limits (tunable).
/** As many as the system's own resolver reads (glibc's MAXNS). */
const MAX_SERVERS = 3
/** Answers in which aliases are followed; real names need one, some split zones a second. */
const MAX_CHAINS = 2
