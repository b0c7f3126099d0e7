/**
 * When a tunnel is given up after a leg has died, instead of joining by another one (SPEC §9.2).
 * @module
 */
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'

/** Closing reasons after which the exit has no tunnel to join: another circuit to it would be of no use. */
const FINAL_REASONS: ReadonlySet<CloseReason> = new Set([
  CLOSE_REASON.UNKNOWN_TUNNEL,
  CLOSE_REASON.NOT_EXIT,
  CLOSE_REASON.FINISHED,
])

// Local limits (tunable): docs/LIMITS.md.
/** Legs that may die within a minute: more than a network loses relays, few enough to learn little from. */
const MAX_DEATHS = 16
const DEATHS_WITHIN_MS = 60_000

/** Counts the legs of one tunnel that die. */
export interface LegDeaths {
  /** True when the tunnel is over with this one: there is nothing to join, or an exit that ends whatever leg it is given would have the client choose relays until it likes them. */
  isLast(reason: CloseReason, nowMs: number): boolean
}

/** Creates the count of a fresh tunnel. */
export function createLegDeaths(): LegDeaths {
  let deathsAtMs: readonly number[] = []
  return {
    isLast(reason, nowMs) {
      deathsAtMs = [...deathsAtMs.filter((atMs) => nowMs - atMs < DEATHS_WITHIN_MS), nowMs]
      return FINAL_REASONS.has(reason) || deathsAtMs.length > MAX_DEATHS
    },
  }
}
