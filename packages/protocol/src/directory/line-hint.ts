/**
 * Whether a node may be on a home's line. A hint for people, with its reasons: nothing here is proof, and no weight or rule takes it in.
 * @module
 */
import { hostingNameOf } from './hosting-asns.ts'
import type { PlaceAuthority } from './claimed-place.ts'
import type { PathNode } from './path-node.ts'

/**
 * `hosting`: its AS is one of those known to rent out machines. `maybe-home`: something speaks for a home, and nothing known against it. `open`: nothing is known.
 */
export type LineGrade = 'hosting' | 'maybe-home' | 'open'

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

export type LineHint = { readonly grade: LineGrade; readonly reasons: readonly LineReason[] }

/** Gathers what there is. Churn of addresses, round-trip times and proxies hidden behind a node are not looked at. */
export function lineHintOf({
  asns,
  asnBy,
  isPublic,
}: Pick<PathNode, 'asns' | 'asnBy' | 'isPublic'>): LineHint {
  const ofAs = asnBy === undefined ? [] : asns.map((asn) => reasonOf(asn, asnBy))
  const reasons: readonly LineReason[] = [
    ...ofAs,
    ...(isPublic ? [] : [{ reason: 'no-public-address' as const }]),
  ]
  if (reasons.some(({ reason }) => reason === 'hosting-as')) return { grade: 'hosting', reasons }
  return { grade: reasons.length > 0 ? 'maybe-home' : 'open', reasons }
}

function reasonOf(asn: number, by: PlaceAuthority): LineReason {
  const name = hostingNameOf(asn)
  return name === undefined
    ? { reason: 'unlisted-as', asn, name: '', by }
    : { reason: 'hosting-as', asn, name, by }
}
