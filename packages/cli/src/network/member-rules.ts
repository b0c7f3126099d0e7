/** What a member of a network asks of its file besides the signature (SPEC §18.3): who may go unsigned, how long an edition holds, how many first contacts there are. */
import { toHex } from '@byway/protocol/base'
import {
  type NetworkEdition,
  type NetworkParameters,
  prefixGroupOf,
} from '@byway/protocol/directory'
import { EMPTY_CONTEXT, judgeDial, parseAddress } from '@byway/protocol/policy'
import { configError } from '../config/config-errors.ts'
import { isLoopback } from '../config/network-file.ts'
import { LOCAL_CHAIN_ID } from '../config/payment-table.ts'
import { networkError } from './network-errors.ts'

// Protocol constants (SPEC §18.3).
/** First contacts of a network that is no test network. */
export const LEAST_CONTACTS = 20
/** So many in one /16 (IPv6: /32) count: a tenth, as much as path rules give one prefix. */
const COUNTED_IN_PREFIX = 2

/** A network file that somebody has to sign, and who and when. */
export type SignedNetwork = NetworkParameters & { readonly edition: NetworkEdition }

/** Whether members take it without a signature: nothing in it leads away from this machine. */
export function mayBeUnsigned({ local, bootstrap }: NetworkParameters): boolean {
  return local && bootstrap.every(({ address }) => isLoopback(address))
}

/** Requires the keys of a signed file. @throws CONFIG_VALUE, with this hint */
export function requireEdition(network: NetworkParameters, hint?: string): SignedNetwork {
  const { edition } = network
  if (edition) return { ...network, edition }
  const problem = 'is missing in a signed file'
  throw configError('CONFIG_VALUE', { source: 'network file', key: 'sequence', problem, hint })
}

/**
 * Requires what makes an edition usable today.
 * @throws NETWORK_EXPIRED, NETWORK_FEW_CONTACTS, CONFIG_VALUE for a chain of one machine in a network that is no test network
 */
export function assertUsable(network: SignedNetwork, nowMs: number): void {
  const { expiresAtMs, isTest } = network.edition
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs)
    throw networkError('NETWORK_EXPIRED', { expired: dayOf(expiresAtMs) })
  if (isTest) return
  const counted = countContacts(network)
  if (counted < LEAST_CONTACTS)
    throw networkError('NETWORK_FEW_CONTACTS', { counted, least: LEAST_CONTACTS })
  if (network.payment?.chainId === LOCAL_CHAIN_ID) {
    const [source, key] = ['network file', 'payment.chain_id']
    const problem = `must not be ${LOCAL_CHAIN_ID} in a network that is no test network`
    throw configError('CONFIG_VALUE', { source, key, problem })
  }
}

/** First contacts, each node once, of each prefix two, and those alone that anybody on the internet may dial. */
export function countContacts({ bootstrap }: Pick<NetworkParameters, 'bootstrap'>): number {
  const nodes = new Set<string>()
  const perPrefix = new Map<string, number>()
  for (const { nodeId, address, port } of bootstrap) {
    const ip = parseAddress(address)
    const id = toHex(nodeId)
    if (!ip || nodes.has(id)) continue
    if (judgeDial(address, port, EMPTY_CONTEXT).verdict === 'deny') continue
    const prefix = prefixGroupOf(ip)
    const before = perPrefix.get(prefix) ?? 0
    if (before === COUNTED_IN_PREFIX) continue
    perPrefix.set(prefix, before + 1)
    nodes.add(id)
  }
  return nodes.size
}

/** The day of a moment, UTC: `2027-05-01`. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}
