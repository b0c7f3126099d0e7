/**
 * Sets up the watch of this host's own network from the node's options: every node dials others, and an exit more than that.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { toIpAddress } from '@byway/protocol/directory'
import type { DescriptorSet, NetworkParameters } from '@byway/protocol/directory'
import { formatAddress, parsePolicyContext } from '@byway/protocol/policy'
import type { PolicyContext, PolicyFacts } from '@byway/protocol/policy'
import { ROLE } from '@byway/protocol/wire'
import { nodeError } from '../errors.ts'
import { createDnsStub } from './dns-stub.ts'
import { chosenServers } from './dns-servers.ts'
import type { ExitRoleOptions } from './exit-options.ts'
import { createOwnNetwork, type OwnNetwork } from './own-network.ts'

export type WatchNetworkDeps = {
  readonly network: NetworkParameters
  readonly directory: DescriptorSet
  /** Own addresses as at least two relays see them. */
  readonly seenAddresses: () => readonly string[]
  readonly onChange: (context: PolicyContext) => void
}

/** The name whose only IPv6 answers are those that a NAT64 made up (RFC 7050 §3). */
const NAT64_PROBE = 'ipv4only.arpa'

/**
 * Reads the own network and goes on watching it. With the exit's options when the node is one.
 * @throws NODE_EXIT_OPTION for a denial that cannot be read, NODE_EXIT_UNSAFE when an exit has no interfaces to read
 */
export async function watchNetwork(
  { network, directory, seenAddresses, onChange }: WatchNetworkDeps,
  exit: ExitRoleOptions | undefined,
): Promise<OwnNetwork> {
  const fixedFacts = fixedFactsOf(network, exit)
  const servers = await chosenServers(exit?.dnsServers)
  const resolver = createDnsStub({ randomBytes, servers: () => servers })
  const ownNetwork = createOwnNetwork(
    {
      interfaces: networkInterfaces,
      readText: async (path) => await readFile(path, 'utf8'),
      seenAddresses,
      relays: () => relayAddresses(directory),
      // A network on one machine has no NAT64, and often no resolver to wait for.
      findNat64: network.local
        ? undefined
        : async () => (await resolver.lookup(NAT64_PROBE, [6])).addresses,
      onChange,
    },
    { fixedFacts },
  )
  await ownNetwork.start()
  // THREAT-MODEL T16: without any interface nothing is known of the own network.
  if (exit && ownNetwork.unknown().includes('interfaces'))
    throw nodeError('NODE_EXIT_UNSAFE', { missing: 'interfaces' })
  return ownNetwork
}

function fixedFactsOf(network: NetworkParameters, exit: ExitRoleOptions | undefined): PolicyFacts {
  if (!exit) return {}
  const { ipv6 = false, denyPrefixes: denyCidrs = [], denyNames: denyDomains = [] } = exit
  const facts = { ipv6, allowTargets: network.exitTargets, denyCidrs, denyDomains }
  const parsed = parsePolicyContext(facts)
  if ('faultPath' in parsed) throw nodeError('NODE_EXIT_OPTION', { field: parsed.faultPath })
  return facts
}

/** THREAT-MODEL T18: an exit does not re-enter the network. */
function relayAddresses(directory: DescriptorSet): (readonly [string, number])[] {
  return Array.from(directory.entries(ROLE.RELAY)).flatMap(({ descriptor }) =>
    descriptor.addresses.map((each) => [formatAddress(toIpAddress(each)), each.port] as const),
  )
}
