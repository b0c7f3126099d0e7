/** What a node's operator should hear of the country and AS that it says, in words. */
import type { OwnOrigin } from '@byway/node'
import { AUTHORITIES } from './place-lines.ts'

/** Nothing where what is said and what is known agree, or nothing is known. */
export function originText({ claim, known, isOtherAs }: OwnOrigin): string | undefined {
  const { country, countryBy, isMisplaced, asns, asnBy } = known
  if (isMisplaced && countryBy)
    return `you say that this node is in ${claim.country}, and ${AUTHORITIES[countryBy]} says ${country} of its address: clients that know the same pass it over for ${claim.country} and choose it less. Start it with --country ${country}; where the table errs, see docs/PLACE.md`
  if (isOtherAs && asnBy)
    return `you say that this node is in AS ${claim.asn}, and ${AUTHORITIES[asnBy]} says AS ${asns.join(', ')} of its address: clients that know the same take that one. Start it with --asn ${asns[0] ?? 0}, or without`
  return undefined
}
