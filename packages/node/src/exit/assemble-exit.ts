/**
 * Puts the exit role together: own network, resolver, limits, connector, service. Nothing is decided here.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import type { Logger } from '@byway/protocol/base'
import type { Accountant } from '@byway/protocol/circuit'
import { createLegLink, systemRuntime } from '@byway/net'
import { ROLE } from '@byway/protocol/wire'
import { toIpAddress } from '@byway/protocol/directory'
import type { DescriptorSet, NetworkParameters } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { formatAddress, parsePolicyContext } from '@byway/protocol/policy'
import type { PolicyContext } from '@byway/protocol/policy'
import { nodeError } from '../errors.ts'
import { createExitConnector } from './connect-pinned.ts'
import { createDnsCache } from './dns-cache.ts'
import { createDnsStub } from './dns-stub.ts'
import type { DnsResolver } from './dns-stub.ts'
import type { DnsServer } from './dns-transport.ts'
import { createExitLimits } from './exit-limits.ts'
import { createExitService } from './exit-service.ts'
import type { ExitMoney, ExitService, MemoryOwner } from './exit-service.ts'
import { createOwnNetwork } from './own-network.ts'
import type { OwnNetwork } from './own-network.ts'
import { readResolvConf } from './resolv-conf.ts'

/** What the operator chose for the exit role. */
export type ExitRoleOptions = {
  readonly profile: 'web' | 'reduced'
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

export type AssembleExitDeps = {
  readonly network: NetworkParameters
  readonly directory: DescriptorSet
  readonly accountant: Accountant<MemoryOwner>
  /** Own addresses as at least two relays see them. */
  readonly seenAddresses: () => readonly string[]
  readonly nowMs: () => number
  readonly log: Logger
  /** Absent in an unpaid network. */
  readonly money?: ExitMoney | undefined
}

/** A running exit role. */
export type ExitRole = { readonly service: ExitService; readonly ownNetwork: OwnNetwork }

/** Local limit (tunable): DNS and QUIC; other UDP is scanning, games and amplification. */
const DATAGRAM_PORTS: readonly number[] = [53, 443]

/** Creates the role. @throws NODE_EXIT_OPTION for a denial that cannot be read, NODE_EXIT_UNSAFE when the own network cannot be read */
export async function assembleExit(
  deps: AssembleExitDeps,
  options: ExitRoleOptions,
): Promise<ExitRole> {
  const { network, directory, nowMs, log } = deps
  const { ipv6 = false, datagrams = false } = options
  const profile = options.profile === 'reduced' ? 'tor-reduced' : 'web'
  const servers = options.dnsServers?.map(parseServer) ?? (await systemServers())
  const { denyPrefixes: denyCidrs = [], denyNames: denyDomains = [] } = options
  const fixedFacts = { ipv6, allowTargets: network.exitTargets, denyCidrs, denyDomains }
  const parsed = parsePolicyContext(fixedFacts)
  if ('faultPath' in parsed) throw nodeError('NODE_EXIT_OPTION', { field: parsed.faultPath })
  const ownNetwork = createOwnNetwork(
    {
      interfaces: networkInterfaces,
      readText: (path) => readFile(path, 'utf8'),
      seenAddresses: deps.seenAddresses,
      relays: () => relayAddresses(directory),
    },
    { fixedFacts },
  )
  await ownNetwork.start()
  // THREAT-MODEL T16: if the own network cannot be determined, the exit role does not start.
  const missing = ownNetwork.unknown().filter((fact) => fact === 'interfaces' || !network.local)
  if (missing.includes('interfaces')) throw nodeError('NODE_EXIT_UNSAFE', { missing: 'interfaces' })
  const limits = createExitLimits()
  const resolver = createDnsStub({ randomBytes, servers: () => servers })
  const cache = createDnsCache({ resolver, nowMs, randomBytes, accountant: deps.accountant })
  const resolverFor = (circuit: string): DnsResolver => cache.view(circuit)
  const context = (): PolicyContext => ownNetwork.context()
  let service: ExitService | undefined
  const connector = createExitConnector(
    {
      resolverFor,
      context,
      limits,
      nowMs,
      onAbuse: (circuit) => service?.onAbuse(circuit),
    },
    { profile },
  )
  service = createExitService(
    {
      provider: nodeCrypto,
      randomBytes,
      runtime: systemRuntime,
      connector,
      limits,
      log,
      accountant: deps.accountant,
      money: deps.money,
      createLegLink,
      forgetCircuit: (circuit) => cache.forget(circuit),
    },
    {
      datagrams: datagrams
        ? { resolverFor, context, limits, nowMs, ports: DATAGRAM_PORTS }
        : undefined,
    },
  )
  return { service, ownNetwork }
}

async function systemServers(): Promise<readonly DnsServer[]> {
  try {
    return readResolvConf(await readFile('/etc/resolv.conf', 'utf8'))
  } catch {
    return []
  }
}

function parseServer(text: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text) ?? []
  return { address: bracketed ?? plain ?? text, port: Number(port ?? DNS_PORT) }
}

const DNS_PORT = 53

/** THREAT-MODEL T18: an exit does not re-enter the network. */
function relayAddresses(directory: DescriptorSet): (readonly [string, number])[] {
  return Array.from(directory.entries(ROLE.RELAY)).flatMap(({ descriptor }) =>
    descriptor.addresses.map((each) => [formatAddress(toIpAddress(each)), each.port] as const),
  )
}
