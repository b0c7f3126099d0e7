/** Where a node is and on what line, as `byway node score` says it: who says so, what contradicts it, and what it rests on. */
import type { NodeScore, TooNear } from '@byway/client'
import type { LineReason, PlaceAuthority } from '@byway/protocol/directory'
import type { ScoreLine } from './score-line.ts'

/** Says what is known of the country; a deduction where the node says another. Nothing where nobody says any. */
export function placeLines(score: NodeScore): readonly ScoreLine[] {
  const { factors, country, countryBy, tooNear } = score
  if (countryBy === undefined) return []
  if (tooNear) return [distanceLine(score, tooNear)]
  const isMisplaced = factors.place < 1
  return [
    {
      reason: 'place',
      factor: factors.place,
      evidence: placeEvidence(score),
      remedy: isMisplaced
        ? `start it with --country ${country}; where ${AUTHORITIES[countryBy]} errs, docs/PLACE.md says how to appeal`
        : '',
    },
  ]
}

function distanceLine({ factors, claimedCountry }: NodeScore, tooNear: TooNear): ScoreLine {
  const { observers, country, rttMs, km } = tooNear
  return {
    reason: 'place',
    factor: factors.place,
    evidence: `it says ${claimedCountry}, and answered within ${rttMs.toFixed(0)} ms by way of ${country}, which is ${km.toFixed(0)} km away at least: light takes longer (${observers} observers agree). It serves nobody who asks for ${claimedCountry}`,
    remedy:
      'start it with the --country where it is, or without; where the tables are wrong about the observers, docs/PLACE.md says how to appeal',
  }
}

function placeEvidence({
  factors,
  country,
  countryBy,
  claimedCountry,
  isPublic,
}: NodeScore): string {
  const source = AUTHORITIES[countryBy ?? 'claim']
  if (factors.place < 1)
    return `it says ${claimedCountry}, and ${source} says ${country} of its address: it serves nobody who asks for ${claimedCountry}`
  if (countryBy !== 'claim') {
    const claim = claimedCountry === '' ? 'it names no country' : `it says ${claimedCountry}`
    return `${claim}, and ${source} says ${country} of its address`
  }
  if (isPublic)
    return `it says ${country}; nothing here knows its address, so that is its word alone`
  return `it says ${country}; it has no public address, so that is its word alone, and where it exits is seen by the sites`
}

/** Says what speaks for a home's line and what against it. It changes no weight. */
export function lineLines({ line }: NodeScore): readonly ScoreLine[] {
  if (line.grade === 'open') return []
  const evidence = `${GRADES[line.grade]}: ${line.reasons.map(reasonText).join('; ')}. A hint, which proves nothing and changes no weight`
  const remedy = line.grade === 'unlike-home' ? LINE_REMEDY : ''
  return [{ reason: 'line', factor: 1, evidence, remedy }]
}

const LINE_REMEDY =
  "nothing is lost by it; where the line is a home's, docs/PLACE.md says what else looks so, and how to appeal"

const GRADES = {
  hosting: 'probably a rented machine',
  'unlike-home': "unlike a home's line",
  'maybe-home': "perhaps a home's line",
} as const

function reasonText(reason: LineReason): string {
  switch (reason.reason) {
    case 'no-public-address':
      return 'it has no public address, as most homes, and as anybody can have it'
    case 'moves-within-as':
      return `its address changed within one AS (${reason.moves} times seen), as those of homes do`
    case 'moves-often':
      return `its address changed ${reason.moves} times in ${reason.days} days: a home keeps one for a day at least`
    case 'changes-network':
      return `its address went to another AS ${reason.changes} times in ${reason.days} days: a home stays with its provider`
    case 'short-lived-neighbours':
      return `${reason.nodes} other nodes of its block of addresses came and went within a day each, in ${reason.days} days`
    case 'connects-late':
      return `its connections begin ${reason.byMs.toFixed(0)} ms later than those of ${reason.others} others in ${reason.country}: perhaps it sends them on to elsewhere, or its line is slow`
    case 'hosting-as':
    case 'unlisted-as':
      return asText(reason)
  }
}

function asText(reason: Extract<LineReason, { readonly asn: number }>): string {
  const { asn, name, by } = reason
  const who = by === 'claim' ? 'it says itself' : `${AUTHORITIES[by]} says`
  return reason.reason === 'hosting-as'
    ? `its AS is ${asn} (${name}), ${who}`
    : `its AS is ${asn}, ${who}, which is on no list of hosting networks here`
}

/** Who says where a node is. */
export const AUTHORITIES: Readonly<Record<PlaceAuthority, string>> = {
  database: 'your database',
  network: "the network's table",
  'built-in': 'the coarse table that comes with byway',
  relays: 'what two of its relays see',
  claim: 'nobody else',
}
