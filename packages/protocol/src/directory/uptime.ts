/**
 * How long a node is likely to stay (SPEC §10.3), from how long it was seen up and how often it went: what was up for long stays for long. Never what it says of itself. Pure.
 *
 * Lifetimes are taken as exponential with a rate of which nothing is known but what was seen: a Gamma prior of one departure in `PRIOR_UP_MS`. Of a node seen up for T that went n times
 * the chance to stay another t is then ((P + T) / (P + T + t)) ^ (1 + n), P being the prior's time: for one that never went half of its kind stay as long again as they were seen.
 * @module
 */
import type { NodeKey } from './node-key.ts'

/** Whose word it is that a node was not reached: the hop before it, or the client's own. */
export type Doubter = NodeKey | 'self'

/** What is kept of one node; plain data, may be stored. Times are milliseconds. */
export type UptimeRecord = {
  /** For how long it was seen up; what is older than two weeks of such time counts half. */
  readonly upMs: number
  /** How often it went away, faded alike. */
  readonly departures: number
  /** False from a departure until it is seen again. */
  readonly isUp: boolean
  /** When it was last seen up, or gone; wall clock. */
  readonly atMs: number
  /** Who has not reached it since it was last seen, each once. */
  readonly doubters: readonly Doubter[]
}

/** One thing that shows whether a node is there. */
export type Sighting =
  /** It answered, or signed an edition, at that time. */
  | { readonly type: 'seen'; readonly atMs: number }
  /** One circuit did not reach it: who says so may lie, and the own line may be down. */
  | { readonly type: 'doubt'; readonly by: Doubter }
  /** At that time it said that it goes, or had forgotten what it knew. */
  | { readonly type: 'gone'; readonly atMs: number }

/** Takes in one sighting. A node is counted from when it was first heard of, whatever its editions say. @param record - undefined for a node never heard of */
export function noteSighting(
  record: UptimeRecord | undefined,
  sighting: Sighting,
  nowMs: number,
): UptimeRecord {
  const known = record ?? { upMs: 0, departures: 0, isUp: true, atMs: nowMs, doubters: [] }
  if (sighting.type === 'gone') return departed(known, Math.min(sighting.atMs, nowMs))
  if (sighting.type === 'doubt') {
    if (known.doubters.includes(sighting.by)) return known
    const doubters = [...known.doubters, sighting.by]
    return doubters.length < ENOUGH_DOUBTERS ? { ...known, doubters } : departed(known, nowMs)
  }
  const atMs = Math.min(sighting.atMs, nowMs)
  // What it did before it was last looked at shows nothing new; a clock that was set back is waited for.
  if (atMs <= known.atMs) return record ? known : { ...known, atMs: nowMs }
  const sinceMs = atMs - known.atMs
  const seen = { ...known, isUp: true, atMs, doubters: [] }
  // Longer than between two editions: it may have been away.
  if (!known.isUp || sinceMs > BRIDGED_MS) return seen
  const fading = 2 ** (-sinceMs / HALF_LIFE_MS)
  return { ...seen, upMs: known.upMs * fading + sinceMs, departures: known.departures * fading }
}

/** For how long half of such nodes stay from now on; 0 for one that has gone and was not seen again. */
export function remainingMsOf(record: UptimeRecord | undefined): number {
  if (!record) return PRIOR_UP_MS
  if (!record.isUp) return 0
  return (PRIOR_UP_MS + record.upMs) * (2 ** (1 / (1 + record.departures)) - 1)
}

/** The chance that it stays for another time, 0 to 1. */
export function stayChanceOf(record: UptimeRecord | undefined, lastsMs: number): number {
  const { upMs, departures, isUp } = record ?? { upMs: 0, departures: 0, isUp: true }
  if (!isUp) return 0
  const knownMs = PRIOR_UP_MS + upMs
  return (knownMs / (knownMs + lastsMs)) ** (1 + departures)
}

/**
 * What the weight of a node is multiplied by for a stream that lasts so long: 1 from four times that remaining time on, in proportion below it, never nothing, or who is new could not
 * show that it stays.
 */
export function lastingFactor(record: UptimeRecord | undefined, lastsMs: number): number {
  const enoughMs = ENOUGH_TIMES * lastsMs
  return Math.min(1, Math.max(LEAST_FACTOR, remainingMsOf(record) / enoughMs))
}

/** One that was seen since then is up again. */
function departed(record: UptimeRecord, goneAtMs: number): UptimeRecord {
  const departures = record.departures + (record.isUp ? 1 : 0)
  const isUp = record.isUp && goneAtMs < record.atMs
  return { ...record, departures, isUp, atMs: Math.max(record.atMs, goneAtMs), doubters: [] }
}

// Local limits (tunable): docs/LIMITS.md.

/** Of a node that nobody knows half leave within so long: home machines come and go. */
const PRIOR_UP_MS = 3_600_000
/** Two editions a day, and some hours for one that comes late. */
const BRIDGED_MS: number = 14 * 3_600_000
/** A machine that was mended is as good as another after some weeks. */
const HALF_LIFE_MS: number = 14 * 86_400_000
/** One relay that says a node is gone may lie as often as it is asked, and a client that is cut off reaches nobody. */
const ENOUGH_DOUBTERS = 2
/** A node of which half stay four times as long loses a stream in five. */
const ENOUGH_TIMES = 4
const LEAST_FACTOR = 0.02
