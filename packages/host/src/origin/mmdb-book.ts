/**
 * The user's own database of countries or AS numbers, in MaxMind's format as MaxMind and DB-IP publish it. Read whole and looked through once, at the start.
 * @module
 */
import { open } from 'node:fs/promises'
import { Reader } from 'mmdb-lib'
import { cityKey, type AddressOrigin, type OriginBook } from '@byway/protocol/directory'
import { formatAddress } from '@byway/protocol/policy'
import { isWholeTree, someAddresses } from './mmdb-tree.ts'
import { placeError } from './place-errors.ts'

/** A database that is open. It keeps no file open. */
export type PlaceDatabase = OriginBook & {
  /** When its publisher made it. */
  readonly builtAtMs: number
}

// Local limits (tunable): docs/LIMITS.md.
/** Databases of countries and AS numbers have some ten megabytes, those of cities sixty. */
const MAX_DATABASE_BYTES = 256 * 1024 * 1024
/** Records that are read to see whether a database holds what is looked for. */
const PROBED_RECORDS = 256

/**
 * Opens a database.
 * @param database - its place among the settings, from 1: what errors call it
 * @throws PLACE_UNREADABLE, PLACE_DAMAGED, PLACE_NOTHING
 */
export async function openPlaceDatabase(path: string, database: number): Promise<PlaceDatabase> {
  const bytes = await readBounded(path, database)
  const reader = readerOf(bytes, database)
  if (!isWholeTree(bytes, reader.metadata))
    throw placeError('PLACE_DAMAGED', { database, part: 'tree' })
  requireUse(bytes, reader, database)
  return {
    builtAtMs: reader.metadata.buildEpoch.getTime(),
    lookup(address) {
      // A tree of IPv4 addresses would take the first bits of the other kind for one.
      if (address.family === 6 && reader.metadata.ipVersion === 4) return undefined
      try {
        return originOf(reader.get(formatAddress(address)))
      } catch {
        // A damaged record is one that says nothing.
        return undefined
      }
    },
  }
}

type RawReader = Reader<never>

async function readBounded(path: string, database: number): Promise<Buffer> {
  const unreadable = (system: string): Error => placeError('PLACE_UNREADABLE', { database, system })
  try {
    await using file = await open(path)
    if ((await file.stat()).size > MAX_DATABASE_BYTES) throw unreadable('EFBIG')
    return await file.readFile()
  } catch (error) {
    const system = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw system.startsWith('PLACE_') ? error : unreadable(system)
  }
}

function readerOf(bytes: Buffer, database: number): RawReader {
  try {
    const reader: RawReader = new Reader(bytes)
    if (reader.metadata.binaryFormatMajorVersion === 2) return reader
  } catch {
    // The library's own words hold nothing that helps.
  }
  throw placeError('PLACE_DAMAGED', { database, part: 'metadata' })
}

/** @throws PLACE_DAMAGED when a record cannot be read, PLACE_NOTHING when none of those read says a country or an AS */
function requireUse(bytes: Uint8Array, reader: RawReader, database: number): void {
  let left = PROBED_RECORDS
  for (const address of someAddresses(bytes, reader.metadata)) {
    if (left-- === 0) break
    if (originOf(probed(reader, formatAddress(address), database))) return
  }
  throw placeError('PLACE_NOTHING', { database })
}

function probed(reader: RawReader, address: string, database: number): unknown {
  try {
    return reader.get(address)
  } catch {
    throw placeError('PLACE_DAMAGED', { database, part: 'data' })
  }
}

/** Where GeoLite2, GeoIP2 and DB-IP have them: `country.iso_code`, `city.names.en`, `autonomous_system_number`. Where an address is registered is not where it is. */
function originOf(record: unknown): AddressOrigin | undefined {
  const code = fieldOf(fieldOf(record, 'country'), 'iso_code')
  const number = fieldOf(record, 'autonomous_system_number')
  const country = typeof code === 'string' && isCountry(code) ? code : ''
  const asn = typeof number === 'number' && number <= MAX_ASN ? number : 0
  if (country === '' && asn === 0) return undefined
  const name = fieldOf(fieldOf(fieldOf(record, 'city'), 'names'), 'en')
  const city = typeof name === 'string' ? cityKey(name) : ''
  return { country, asn, ...(city === '' || country === '' ? {} : { city }) }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isCountry(code: string): boolean {
  return /^[A-Z]{2}$/.test(code) && !NO_COUNTRIES.has(code)
}

/** What databases write where they know no country: unknown, and regions (ISO 3166 reserves or leaves them to users). */
const NO_COUNTRIES: ReadonlySet<string> = new Set(['AP', 'EU', 'XX', 'ZZ'])
/** RFC 6793 §3: AS numbers have four octets. */
const MAX_ASN = 0xffff_ffff
