/**
 * Whether a node may be on a home's line. A hint for people, with its reasons: nothing here is proof, and no weight or rule takes it in.
 * @module
 */
import type { AddressReason } from './address-history.ts'
import { hostingNameOf } from './hosting-asns.ts'
import type { PlaceAuthority } from './claimed-place.ts'
import type { PathNode } from './path-node.ts'

/**
 * `hosting`: its AS is one of those known to rent out machines. `unlike-home`: what it does speaks against a home. `maybe-home`: something speaks
 * for a home, and nothing known against it. `open`: nothing is known.
 */
export type LineGrade = 'hosting' | 'unlike-home' | 'maybe-home' | 'open'

export type LineReason =
  | {
      readonly reason: 'hosting-as' | 'unlisted-as'
      readonly asn: number
      /** Of the list; '' for an AS that is not on it. */
      readonly name: string
      readonly by: PlaceAuthority
    }
  /** It has no public address: it sits behind a router, as homes do, or wants to seem so. */
  | { readonly reason: 'no-public-address' }
  | AddressReason
  | LateReason

/** Connections through it begin later than through others of its country: it may send them on to elsewhere. */
export type LateReason = {
  readonly reason: 'connects-late'
  /** Later than the middle one of the others. */
  readonly byMs: number
  readonly country: string
  /** Others of the country that it was held against. */
  readonly others: number
}

export type LineHint = { readonly grade: LineGrade; readonly reasons: readonly LineReason[] }

/** What a client saw of a node over time. */
export type LineSeen = {
  readonly addresses: readonly AddressReason[]
  readonly late: LateReason | undefined
}

/** Gathers what there is. */
export function lineHintOf(
  { asns, asnBy, isPublic }: Pick<PathNode, 'asns' | 'asnBy' | 'isPublic'>,
  { addresses, late }: LineSeen = { addresses: [], late: undefined },
): LineHint {
  const ofAs = asnBy === undefined ? [] : asns.map((asn) => reasonOf(asn, asnBy))
  const reasons: readonly LineReason[] = [
    ...ofAs,
    ...(isPublic ? [] : [{ reason: 'no-public-address' as const }]),
    ...addresses,
    ...(late ? [late] : []),
  ]
  if (reasons.some(({ reason }) => reason === 'hosting-as')) return { grade: 'hosting', reasons }
  if (reasons.some(({ reason }) => AGAINST.has(reason))) return { grade: 'unlike-home', reasons }
  return { grade: reasons.length > 0 ? 'maybe-home' : 'open', reasons }
}

const AGAINST: ReadonlySet<LineReason['reason']> = new Set([
  'moves-often',
  'changes-network',
  'short-lived-neighbours',
  'connects-late',
])

function reasonOf(asn: number, by: PlaceAuthority): LineReason {
  const name = hostingNameOf(asn)
  return name === undefined
    ? { reason: 'unlisted-as', asn, name: '', by }
    : { reason: 'hosting-as', asn, name, by }
}
