/**
 * Nodes that a circuit has just not reached. For a while they are chosen last: a node that is gone would cost every other circuit the time of finding that out again.
 *
 * Who says that a node is not there is the hop before it, and may lie (THREAT-MODEL T7 says what that gives it).
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'

// Local limits (tunable): docs/LIMITS.md.
/** A node that was started again is back sooner; one that has gone is asked for again at growing distances. */
const REST_MIN_MS = 30_000
const MAX_REST_MS = 600_000
/** Nodes remembered; those heard of longest ago are forgotten first. */
const MAX_ABSENT = 4096

/** Who was not there lately. */
export interface AbsentNodes {
  /** A circuit has reached a node, or has not. */
  note(key: NodeKey, isThere: boolean): void
  isAbsent(key: NodeKey): boolean
}

/** Creates an empty record, which lives in memory. @param nowMs - monotonic */
export function createAbsentNodes(nowMs: () => number): AbsentNodes {
  const rests = new Map<NodeKey, { readonly restMs: number; readonly untilMs: number }>()
  const isAbsent = (key: NodeKey): boolean => (rests.get(key)?.untilMs ?? 0) > nowMs()
  return {
    note(key, isThere) {
      // Circuits that were under way together show one absence.
      if (!isThere && isAbsent(key)) return
      const last = rests.get(key)
      rests.delete(key)
      if (isThere) return
      const restMs = last ? Math.min(MAX_REST_MS, 2 * last.restMs) : REST_MIN_MS
      rests.set(key, { restMs, untilMs: nowMs() + restMs })
      const [oldest] = rests.keys()
      if (rests.size > MAX_ABSENT && oldest !== undefined) rests.delete(oldest)
    },
    isAbsent,
  }
}
