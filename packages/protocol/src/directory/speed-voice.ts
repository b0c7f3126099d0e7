/**
 * How fast a node is beside others, as each guard shows it, and what several guards together make of that (SPEC §10.3, ADR-0048). All that a client measures of a node it measures through
 * its entry, which may slow down what it likes; so it takes two of three voices to move a weight. Pure.
 * @module
 */

/** What one guard shows of one node; plain data, may be stored. */
export type SpeedVoice = {
  /** Moving average of a transfer beside the usual one through that guard: 1 is as fast as others. */
  readonly ratio: number
  /** Transfers in it, counted up to those after which each further one counts a quarter. */
  readonly samples: number
  /** Start of the day that growth is counted in. */
  readonly dayStartMs: number
  /** The ratio counted at the start of that day; it may at most double within it. */
  readonly dayStartRatio: number
}

/** Takes in one transfer. @param voice - undefined for a node that this guard showed nothing of @param ratio - its goodput beside the usual one through the guard */
export function hearRatio(voice: SpeedVoice | undefined, ratio: number, nowMs: number): SpeedVoice {
  const today = startDay(voice ?? newVoice(nowMs), nowMs)
  const samples = Math.min(FULL_SAMPLES, today.samples + 1)
  const bounded = Math.min(MAX_RATIO, Math.max(1 / MAX_RATIO, ratio))
  const mixed = today.ratio + (bounded - today.ratio) / samples
  return { ...today, samples, ratio: Math.min(mixed, GROWTH_PER_DAY * today.dayStartRatio) }
}

/**
 * Returns what guards agree on: the middle one of three voices, where those that are missing say that the node is as fast as others. So a node is slower, or faster, only as far as two
 * guards show it, and nothing on the word of one.
 * @param ratios - of guards that stand apart, three at most
 */
export function agreedRatio(ratios: readonly number[]): number {
  const [, middle] = [...ratios, 1, 1, 1].slice(0, VOICES).toSorted((a, b) => a - b)
  return middle ?? 1
}

/** Growth in idle days is not saved up. */
function startDay(voice: SpeedVoice, nowMs: number): SpeedVoice {
  if (nowMs - voice.dayStartMs < DAY_MS) return voice
  return { ...voice, dayStartMs: nowMs, dayStartRatio: Math.max(voice.ratio, FLOOR_RATIO) }
}

function newVoice(nowMs: number): SpeedVoice {
  return { ratio: 1, samples: 0, dayStartMs: nowMs, dayStartRatio: 1 }
}

/** As many as a client has primary guards. */
const VOICES = 3

// Local limits (tunable): docs/LIMITS.md.
/** The first transfer is all that is known; from the fourth on the newest counts a quarter, so that four slow ones of a liar outweigh its past. */
const FULL_SAMPLES = 4
/** THREAT-MODEL T10: "at most doubled in a day". */
const GROWTH_PER_DAY = 2
/** Below this nothing could double its way back within a week. */
const FLOOR_RATIO = 0.05
/** No node is taken for more than so many times as fast as others, or as slow. */
const MAX_RATIO = 100
const DAY_MS = 86_400_000
