/**
 * Where a node is: what is known of its addresses, held against what it claims (SPEC §10.3). A claim counts only where nothing is known; one that is contradicted
 * counts for nothing.
 * @module
 */
import type { IpAddress } from '@byway/protocol/policy'
import type { SeenPlace } from '@byway/protocol/wire'
import type { OriginAuthority, OriginSource } from './address-origin.ts'

/** Who says where a node is: tables, relays that see one without an address, or nobody but the node. */
export type PlaceAuthority = OriginAuthority | 'relays' | 'claim'

export type JudgedPlace = {
  /** Of its addresses by what is known; its own claim only when nothing is. Never 0. */
  readonly asns: readonly number[]
  /** Undefined where `asns` is empty. */
  readonly asnBy: PlaceAuthority | undefined
  /** As `asns`; '' when nobody says. */
  readonly country: string
  readonly countryBy: PlaceAuthority | undefined
  /** Of its addresses, where all of which a database knows one are in one; absent where nobody says. A node's own word is never taken for it. */
  readonly city?: string | undefined
  /** True when it claims a country and another is known of one of its addresses; `country` is then that other. */
  readonly isMisplaced: boolean
}

/** Judges a node's claim. @param addresses - none for a node that is reached through relays @param seen - where relays see one without; absent where they do not say, or not the same */
export function placeOf(
  addresses: readonly IpAddress[],
  claim: { readonly country: string; readonly asn: number },
  origins: OriginSource,
  seen?: SeenPlace,
): JudgedPlace {
  const known: Known =
    addresses.length > 0 ? addresses.map((address) => origins.lookup(address)) : knownOf(seen)
  return { ...countryOf(known, claim.country), ...asnsOf(known, claim.asn), ...cityOf(known) }
}

type Known = readonly {
  readonly country: string
  readonly countryBy: PlaceAuthority | undefined
  readonly asn: number
  readonly asnBy: PlaceAuthority | undefined
  readonly city?: string | undefined
}[]

function knownOf(seen: SeenPlace | undefined): Known {
  if (!seen) return []
  const { country, asn } = seen
  const by = (isSaid: boolean): 'relays' | undefined => (isSaid ? 'relays' : undefined)
  return [{ country, countryBy: by(country !== ''), asn, asnBy: by(asn !== 0) }]
}

function countryOf(
  known: Known,
  claimed: string,
): Pick<JudgedPlace, 'country' | 'countryBy' | 'isMisplaced'> {
  const said = known.filter(({ countryBy }) => countryBy !== undefined)
  // An address in the country that is claimed is no cover for another elsewhere: the traffic may leave there.
  const other = claimed === '' ? undefined : said.find(({ country }) => country !== claimed)
  const first = other ?? said[0]
  if (first) {
    const { country, countryBy } = first
    return { country, countryBy, isMisplaced: other !== undefined }
  }
  return {
    country: claimed,
    countryBy: claimed === '' ? undefined : 'claim',
    isMisplaced: false,
  }
}

function asnsOf(known: Known, claimed: number): Pick<JudgedPlace, 'asns' | 'asnBy'> {
  const said = known.filter(({ asnBy }) => asnBy !== undefined)
  if (said.length > 0) {
    return { asns: [...new Set(said.map(({ asn }) => asn))], asnBy: said[0]?.asnBy }
  }
  return claimed === 0 ? { asns: [], asnBy: undefined } : { asns: [claimed], asnBy: 'claim' }
}

function cityOf(known: Known): Pick<JudgedPlace, 'city'> {
  const cities = new Set(known.flatMap(({ city }) => city ?? []))
  const [city] = cities
  return cities.size === 1 && city !== undefined ? { city } : {}
}
