/**
 * What each neighbour was last asked for, so that it need not say everything again (SPEC §10.2): by node, not by link, so that two that were apart for an hour
 * exchange that hour.
 * @module
 */
import type { Link } from '@byway/protocol/link'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'

// Local limits (tunable): docs/LIMITS.md.
/** Whole sets taken in one run, each from another neighbour: one alone may be eclipsed. */
const WHOLE_SETS = 3
/** What a neighbour that was never asked is asked for after those. */
const FIRST_S = 6 * 3600
/** What came so shortly before the last answer is asked for again: it may have waited for the registry. */
const OVERLAP_S = 60
/** Neighbours remembered. */
const MAX_NEIGHBOURS = 4096

export interface Asked {
  /** The time to ask this neighbour since, of its own clock; 0 for all. */
  since(link: Link): number
  answered(link: Link, asOfS: number): void
}

/** @param nowMs - the wall clock */
export function createAsked(nowMs: () => number): Asked {
  const asOf = new Map<NodeKey, number>()
  let wholeSets = 0
  return {
    since({ peer }) {
      const known = peer.role === 'node' ? asOf.get(nodeKeyOf(peer.nodeId)) : undefined
      if (known !== undefined) return Math.max(1, known - OVERLAP_S)
      if (wholeSets++ < WHOLE_SETS) return 0
      return Math.max(1, Math.floor(nowMs() / 1000) - FIRST_S)
    },
    answered({ peer }, asOfS) {
      if (peer.role !== 'node') return
      const key = nodeKeyOf(peer.nodeId)
      asOf.delete(key)
      asOf.set(key, asOfS)
      const [oldest] = asOf.keys()
      if (asOf.size > MAX_NEIGHBOURS && oldest !== undefined) asOf.delete(oldest)
    },
  }
}
