/** How many messages a neighbour may still send: a bucket for each, refilled with time. What is over it costs nothing but the look. */

// Local limits (tunable): docs/LIMITS.md.
/** All nodes of a small network may begin at once, and a partition that heals brings what one side missed. */
const BURST_MESSAGES = 2000
/** Ten thousand nodes publish one edition in four seconds. */
const MESSAGES_PER_S = 10

export interface Allowance {
  /** True when the neighbour may send one more now. */
  take(peer: string, nowMs: number): boolean
  /** What a neighbour sent over its allowance since it came. */
  excess(peer: string): number
  forget(peer: string): void
}

/** Creates full buckets for whoever comes. Bounded by the connections: each is forgotten with its own. */
export function createAllowance(): Allowance {
  const buckets = new Map<string, { left: number; atMs: number; excess: number }>()
  return {
    take(peer, nowMs) {
      const old = buckets.get(peer) ?? { left: BURST_MESSAGES, atMs: nowMs, excess: 0 }
      const refill = (Math.max(0, nowMs - old.atMs) / 1000) * MESSAGES_PER_S
      const left = Math.min(BURST_MESSAGES, old.left + refill)
      const isOver = left < 1
      buckets.set(peer, {
        left: isOver ? left : left - 1,
        atMs: nowMs,
        excess: old.excess + (isOver ? 1 : 0),
      })
      return !isOver
    },
    excess: (peer) => buckets.get(peer)?.excess ?? 0,
    forget: (peer) => void buckets.delete(peer),
  }
}
