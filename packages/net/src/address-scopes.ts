/**
 * The prefixes that an address counts for in limits (THREAT-MODEL T15): an IPv4 address for itself; an IPv6 address for its /64, which one home has, and, four
 * times as generously, for its /48.
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'

/** One prefix. */
export type AddressScope = {
  /** Names the prefix in a map. */
  readonly key: string
  /** How many times as wide its limits are. */
  readonly factor: number
}

/** The prefixes of an address as a socket writes it; none for what is no address. */
export function addressScopes(address: string): readonly AddressScope[] {
  const mapped = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : address
  if (isIPv4(mapped)) return [{ key: mapped, factor: 1 }]
  const [bare = ''] = address.split('%')
  if (!isIPv6(bare)) return []
  const groups = groupsOf(bare)
  return [
    { key: `${groups.slice(0, 4).join(':')}/64`, factor: 1 },
    { key: `${groups.slice(0, 3).join(':')}/48`, factor: 4 },
  ]
}

/** The first four groups suffice, so that an embedded IPv4 tail may count as one group too few. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  if (tail === undefined) return first
  const last = tail === '' ? [] : tail.split(':')
  const missing = Math.max(0, 8 - first.length - last.length)
  return [...first, ...Array<string>(missing).fill('0'), ...last]
}
