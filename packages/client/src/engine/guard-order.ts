/**
 * Which guard a circuit begins at (SPEC §10.3): the first that stands, and once in a while another that stands, so that what is measured of nodes is not the word of one (ADR-0048).
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { GuardLinks } from './guard-links.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Of circuits whose exit is drawn, one in so many begins at another guard: what it shows of a node is found out in as many circuits more, and a second entry sees no more of a client than that. */
export const ONE_IN_BESIDE = 8

export type GuardOrderDeps = {
  readonly links: Pick<GuardLinks, 'get'>
  /** True for a guard that is used last. */
  readonly isSuspect: (guard: NodeKey) => boolean
  /** True once there is something to confirm of what was measured behind a guard. */
  readonly hasLevel: (guard: NodeKey) => boolean
}

/** Guards with a link first: among primary guards any is as good, and a dead one would cost a dial's time. One that stops comes after them, and last one behind which circuits fail, or little comes. */
export function preferStanding(
  guards: readonly NodeKey[],
  { links, isSuspect }: GuardOrderDeps,
): readonly NodeKey[] {
  const rankOf = (key: NodeKey): number => {
    if (isSuspect(key)) return 3
    const link = links.get(key)
    if (!link) return 1
    return link.isDraining ? 2 : 0
  }
  return guards.toSorted((a, b) => rankOf(a) - rankOf(b))
}

/** Puts one of the others first that stand and can be used as well. The same order where there is none, or nothing to confirm yet. @param guards - as `preferStanding` gives them */
export function besideFirst(
  guards: readonly NodeKey[],
  { links, isSuspect, hasLevel }: GuardOrderDeps,
  random: () => number,
): readonly NodeKey[] {
  const [first, ...others] = guards
  if (first === undefined || !hasLevel(first)) return guards
  const standing = others.filter((key) => links.get(key)?.isDraining === false && !isSuspect(key))
  const beside = standing[Math.floor(random() * standing.length)]
  return beside === undefined ? guards : [beside, ...guards.filter((key) => key !== beside)]
}
