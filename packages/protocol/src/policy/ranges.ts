/**
 * The address ranges that are never a public destination, with the reason for each (SPEC §11).
 *
 * IPv4: a deny list. IPv6: only `2000::/3` may pass, and a deny list inside it. The own network is `context.ts`, not here.
 * Kept as our own table because no generic list has all of it (168.63.129.16 is a public address, for one).
 */
import type { IpAddress } from './address.ts'
import { type Cidr, cidrHolds, parseCidr } from './cidr.ts'
import type { AddressReason } from './reason.ts'

/** One denied range. */
export type DeniedRange = { readonly cidr: Cidr; readonly reason: AddressReason }

// Protocol constants (a change needs a change of the published policy).

/** The most specific range stands first where two overlap: the first match gives the reason. */
export const IPV4_DENIED: readonly DeniedRange[] = table([
  ['0.0.0.0/8', 'this-network'],
  ['10.0.0.0/8', 'rfc1918'],
  ['100.64.0.0/10', 'cgnat'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'rfc1918'],
  ['192.0.0.0/24', 'ietf-protocol'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', '6to4-relay'],
  ['192.168.0.0/16', 'rfc1918'],
  ['198.18.0.0/15', 'benchmark'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],
  ['168.63.129.16/32', 'metadata-public'],
])

/** Ranges with a reason of their own; everything else outside `2000::/3` is refused as `not-2000::/3`. */
export const IPV6_DENIED: readonly DeniedRange[] = table([
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['64:ff9b::/96', 'nat64'],
  ['64:ff9b:1::/48', 'nat64'],
  ['2001::/23', 'ietf-protocol6'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['3fff::/20', 'documentation'],
])

/** Global unicast, the only IPv6 space that is handed out (IANA); all else is refused unseen. */
export const IPV6_GLOBAL: Cidr = cidr('2000::/3')

/** The reason for which the address can never be a public destination; `undefined` for a public one. */
export function specialRange(address: IpAddress): AddressReason | undefined {
  const ranges = address.family === 4 ? IPV4_DENIED : IPV6_DENIED
  const denied = ranges.find((range) => cidrHolds(range.cidr, address))
  if (denied !== undefined) return denied.reason
  if (address.family === 6 && !cidrHolds(IPV6_GLOBAL, address)) return 'not-2000::/3'
  return undefined
}

function table(rows: readonly (readonly [string, AddressReason])[]): readonly DeniedRange[] {
  return rows.map(([text, reason]) => ({ cidr: cidr(text), reason }))
}

function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  if (parsed === undefined) throw new TypeError(`not a prefix: ${text}`)
  return parsed
}
