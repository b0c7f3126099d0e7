/**
 * What a node says of itself in its descriptor (SPEC §10.1), from its options and what is known of its address.
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import { toIpBytes } from '@byway/protocol/directory'
import type { OriginSource } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { parseAddress } from '@byway/protocol/policy'
import { EXIT_FLAG, EXIT_PROFILE, NO_CLASSES, ROLE } from '@byway/protocol/wire'
import { classPricesOf } from '../exit/class-prices.ts'
import type { ExitRoleOptions } from '../exit/exit-options.ts'
import type { DescriptorFacts } from './own-descriptor.ts'

/** Shown to everybody: version compatibility is judged by it. */
const SOFTWARE = 'byway/0.1.0'

export type OwnFactsInput = {
  readonly origins: OriginSource
  readonly onionKey: Uint8Array
  /** Where the node is reached; none without a public port. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  readonly attachments: readonly Uint8Array[]
  /** Where it listens for gossip; absent where there is none. */
  readonly gossipPort?: number | undefined
  readonly exit: ExitRoleOptions | undefined
  readonly country: string | undefined
  readonly asn: number | undefined
  /** What all nodes of its operator name. */
  readonly family?: string | undefined
  /** Absent where nothing is paid. */
  readonly money?: Pick<DescriptorFacts, 'provider' | 'priceStep' | 'tokenKeysHash'> | undefined
}

/** Makes the facts, or `undefined` while the node can be reached nowhere. */
export function ownFacts(input: OwnFactsInput): DescriptorFacts | undefined {
  const { origins, exit, attachments, address } = input
  const ip = address && parseAddress(address.host)
  const addresses = ip && address ? [{ ...toIpBytes(ip), port: address.port }] : []
  if (addresses.length + attachments.length === 0) return undefined
  const known = ip && origins.lookup(ip)
  // Clients have the coarse table too: repeating its guess would only contradict who knows better.
  const knownCountry = known?.countryBy === 'built-in' ? '' : known?.country
  return {
    onionKey: input.onionKey,
    roles: ROLE.RELAY | (exit ? ROLE.EXIT : 0),
    exitProfile: exitProfileOf(exit),
    exitFlags: (exit?.ipv6 ? EXIT_FLAG.IPV6 : 0) | (exit?.datagrams ? EXIT_FLAG.DATAGRAMS : 0),
    country: input.country ?? knownCountry ?? '',
    asn: input.asn ?? known?.asn ?? 0,
    familyId: input.family === undefined ? undefined : familyIdOf(input.family),
    stakerId: undefined,
    provider: input.money?.provider,
    priceStep: input.money?.priceStep ?? 0,
    classPrices: exit ? classPricesOf(exit, input.money?.priceStep) : NO_CLASSES,
    tokenKeysHash: input.money?.tokenKeysHash,
    gossipPort: addresses.length > 0 ? (input.gossipPort ?? 0) : 0,
    addresses,
    attachments,
    software: SOFTWARE,
  }
}

/** SPEC §10.1: the name itself is not shown. */
function familyIdOf(name: string): Uint8Array {
  return nodeCrypto.sha256(utf8Bytes('byway family v1'), utf8Bytes(name))
}

function exitProfileOf(exit: ExitRoleOptions | undefined): DescriptorFacts['exitProfile'] {
  if (!exit) return EXIT_PROFILE.NONE
  return exit.profile === 'reduced' ? EXIT_PROFILE.REDUCED : EXIT_PROFILE.WEB
}
