/**
 * Follows the aliases inside one DNS answer, from the name that was asked to its addresses. Pure.
 * Records of other owners are not part of the answer and are ignored; loops and long chains are faults.
 */
import type { DnsRecord, DnsType } from './dns-message.ts'

/** Where a chain of aliases ends. */
export type ChainEnd =
  | {
      readonly kind: 'addresses'
      readonly addresses: readonly string[]
      readonly ttlSeconds: number
    }
  /** The name exists without an address of this type. */
  | { readonly kind: 'no-data' }
  /** The answer stops at an alias whose target must be asked for. */
  | { readonly kind: 'alias'; readonly target: string; readonly ttlSeconds: number }
  | { readonly kind: 'fault' }

/** Most aliases followed inside one answer. */
export const MAX_CHAIN_LINKS = 8

/** Most addresses one answer may hold; each is judged, and no honest name has more. */
export const MAX_ANSWER_ADDRESSES = 64

/** Follows aliases from `name` (lower case, no trailing dot) to addresses of `type`. The TTL is the least on the way. */
export function followChain(name: string, type: DnsType, records: readonly DnsRecord[]): ChainEnd {
  let owner = name
  let ttlSeconds = Number.POSITIVE_INFINITY
  for (let links = 0; links <= MAX_CHAIN_LINKS; links++) {
    const own = records.filter((record) => record.owner === owner)
    const found = own.filter((record) => record.type === type)
    if (found.length > MAX_ANSWER_ADDRESSES) return { kind: 'fault' }
    if (found.length > 0) {
      for (const record of found) ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds)
      return { kind: 'addresses', addresses: found.map((record) => record.value), ttlSeconds }
    }
    const alias = own.find((record) => record.type === 'CNAME')
    if (alias === undefined) {
      return links === 0 ? { kind: 'no-data' } : { kind: 'alias', target: owner, ttlSeconds }
    }
    owner = alias.value
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds)
  }
  return { kind: 'fault' }
}
