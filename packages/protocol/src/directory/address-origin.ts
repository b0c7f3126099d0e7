/**
 * What is known of an address besides what its node claims (SPEC §10.3): the country and the AS, and who says so. The user's own databases go
 * before the network's table, and that before the small table which comes with the program; each field by itself.
 * @module
 */
import { type IpAddress, specialRange } from '@byway/protocol/policy'
import { type AddressOrigin, createAsnTable } from './asn-table.ts'
import type { AsnRow } from './network-parameters.ts'

/** Who says where an address is: the user's database, the network file's table, or the coarse table that comes with the program. */
export type OriginAuthority = 'database' | 'network' | 'built-in'

/** One source. It must answer at once, and never throw. */
export interface OriginBook {
  lookup(address: IpAddress): AddressOrigin | undefined
}

/** What a program knows besides the network's table. */
export type OriginBooks = {
  /** The first that says something counts. */
  readonly databases: readonly OriginBook[]
  /** Absent where it shall not be asked. */
  readonly builtIn?: OriginBook | undefined
}

/** What is known; '' and 0 mean nothing, and then nobody says it. */
export type KnownOrigin = AddressOrigin & {
  readonly countryBy: OriginAuthority | undefined
  readonly asnBy: OriginAuthority | undefined
}

/** All sources together, the strongest first. */
export interface OriginSource {
  lookup(address: IpAddress): KnownOrigin
}

/** Puts sources in their order. The program's own are not asked about addresses that are nobody's on the internet. */
export function createOriginSource(
  asnTable: readonly AsnRow[],
  books: OriginBooks = NO_BOOKS,
): OriginSource {
  const table = createAsnTable(asnTable)
  const byStrength: readonly (readonly [OriginAuthority, OriginBook])[] = [
    ...books.databases.map((book) => ['database', book] as const),
    ['network', table],
    ...(books.builtIn ? [['built-in', books.builtIn] as const] : []),
  ]
  return {
    lookup(address) {
      const isSpecial = specialRange(address) !== undefined
      let known: KnownOrigin = NOTHING_KNOWN
      for (const [authority, book] of byStrength) {
        if (isSpecial && authority !== 'network') continue
        known = filled(known, authority, book.lookup(address))
        const isCityOpen = authority === 'database' && known.city === undefined
        if (known.countryBy && known.asnBy && !isCityOpen) break
      }
      return known
    },
  }
}

/** Of an address about which nobody says anything. */
export const NOTHING_KNOWN: KnownOrigin = {
  country: '',
  countryBy: undefined,
  asn: 0,
  asnBy: undefined,
}

const NO_BOOKS: OriginBooks = { databases: [] }

function filled(
  known: KnownOrigin,
  authority: OriginAuthority,
  said: AddressOrigin | undefined,
): KnownOrigin {
  if (!said) return known
  const { country, asn, city } = said
  // Of two databases that say two countries the first counts, and so does no city of the other.
  const isThere = known.countryBy === undefined || known.country === country
  return {
    ...known,
    ...(known.city === undefined && city !== undefined && isThere ? { city } : {}),
    ...(known.countryBy === undefined && country !== '' ? { country, countryBy: authority } : {}),
    ...(known.asnBy === undefined && asn !== 0 ? { asn, asnBy: authority } : {}),
  }
}
