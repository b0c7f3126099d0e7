/** How many messages a neighbour may still send: a bucket for each, refilled with time. What is over it costs nothing but the look. */

// Local limits (tunable): docs/LIMITS.md.
/** All nodes of a small network may begin at once, and a partition that heals brings what one side missed. */
const BURST_MESSAGES = 2000
/** Ten thousand nodes publish one edition in four seconds. */
const MESSAGES_PER_S = 10
/** What was sent over the allowance counts half after so long: a neighbour of months is judged by what it does today. */
const EXCESS_HALVES_MS = 600_000

/** Times are monotonic milliseconds. */
export interface Allowance {
  /** True when the neighbour may send one more now. */
  take(peer: string, nowMs: number): boolean
  /** What a neighbour sent over its allowance, less with time. */
  excess(peer: string, nowMs: number): number
  /** A neighbour has gone. Who sent too much is remembered until it counts less than one message: coming anew clears nobody. */
  forget(peer: string, nowMs: number): void
}

type Bucket = { readonly left: number; readonly atMs: number; readonly excess: number }

/** Creates full buckets for whoever comes. Bounded by the connections, and by the nodes with a stake that sent too much in the last hours. */
export function createAllowance(): Allowance {
  const buckets = new Map<string, Bucket>()
  const gone = new Set<string>()

  function bucketOf(peer: string, nowMs: number): Bucket {
    const { left, atMs, excess } = buckets.get(peer) ?? {
      left: BURST_MESSAGES,
      atMs: nowMs,
      excess: 0,
    }
    const passedMs = Math.max(0, nowMs - atMs)
    return {
      left: Math.min(BURST_MESSAGES, left + (passedMs / 1000) * MESSAGES_PER_S),
      atMs: nowMs,
      excess: excess * 2 ** (-passedMs / EXCESS_HALVES_MS),
    }
  }

  return {
    take(peer, nowMs) {
      gone.delete(peer)
      const { left, excess } = bucketOf(peer, nowMs)
      const isOver = left < 1
      buckets.set(peer, {
        left: isOver ? left : left - 1,
        atMs: nowMs,
        excess: isOver ? excess + 1 : excess,
      })
      return !isOver
    },
    excess: (peer, nowMs) => bucketOf(peer, nowMs).excess,
    forget(peer, nowMs) {
      gone.add(peer)
      for (const each of gone) {
        if (bucketOf(each, nowMs).excess >= 1) continue
        buckets.delete(each)
        gone.delete(each)
      }
    },
  }
}
