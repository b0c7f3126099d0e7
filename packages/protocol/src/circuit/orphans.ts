/**
 * Tunnels without a leg (SPEC §9.3): how long they wait and how many there are, as data. The driver asks which to give up;
 * giving up means that their applications see a reset.
 * @module
 */

/** Tunnels that lost their leg, oldest first. */
export interface Orphans<Tunnel> {
  readonly size: number
  /** Instant at which the next one is due; Infinity when there is none. */
  readonly nextDeadlineAtMs: number
  /** Adds a tunnel that lost its leg; returns the oldest when there are too many now, to be given up. */
  add(tunnel: Tunnel, nowMs: number): Tunnel | undefined
  /** Removes a tunnel that got a leg or was given up; false when it was not there. */
  remove(tunnel: Tunnel): boolean
  /** Removes and returns those that have waited too long. */
  takeExpired(nowMs: number): readonly Tunnel[]
}

/** Limits of SPEC §9.3. */
export type OrphanLimits = {
  /** @default 256 (SPEC §9.3) */
  readonly max?: number | undefined
  /** @default 30 000 (SPEC §9.3) */
  readonly waitMs?: number | undefined
}

/** Creates an empty set. */
export function createOrphans<Tunnel>(limits: OrphanLimits = {}): Orphans<Tunnel> {
  const max = limits.max ?? MAX_ORPHANS
  const waitMs = limits.waitMs ?? ORPHAN_WAIT_MS
  // A Map keeps the order of insertion, and all wait equally long: the first is the oldest and the next due.
  const deadlines = new Map<Tunnel, number>()
  return {
    get size(): number {
      return deadlines.size
    },
    get nextDeadlineAtMs(): number {
      for (const deadline of deadlines.values()) return deadline
      return Number.POSITIVE_INFINITY
    },
    add(tunnel, nowMs) {
      deadlines.delete(tunnel)
      deadlines.set(tunnel, nowMs + waitMs)
      if (deadlines.size <= max) return undefined
      for (const oldest of deadlines.keys()) {
        deadlines.delete(oldest)
        return oldest
      }
      return undefined
    },
    remove: (tunnel) => deadlines.delete(tunnel),
    takeExpired(nowMs) {
      const expired: Tunnel[] = []
      for (const [tunnel, deadline] of deadlines) {
        if (deadline > nowMs) break
        expired.push(tunnel)
      }
      for (const tunnel of expired) deadlines.delete(tunnel)
      return expired
    },
  }
}

// Protocol constants (change needs a spec change): SPEC §9.3.
/** How long a tunnel waits for another leg. */
export const ORPHAN_WAIT_MS = 30_000
/** How many tunnels without a leg an exit keeps: 256 × 4 MiB is what they can pin. */
export const MAX_ORPHANS = 256
