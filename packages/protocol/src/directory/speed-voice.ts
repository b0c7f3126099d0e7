/**
 * How fast a node is beside others, and how soon it answers, as each guard shows it, and what several guards together make of that (SPEC §10.3, ADR-0048, ADR-0052). All that a client
 * measures of a node it measures through its entry, which may slow down what it likes; so it takes two of three voices to move a weight. Pure.
 * @module
 */

/** What one guard shows of one node; plain data, may be stored. */
export type SpeedVoice = {
  /** Moving average of a transfer beside the usual one through that guard: 1 is as fast as others. */
  readonly ratio: number
  /** Transfers in it, counted up to those after which each further one counts a quarter. */
  readonly samples: number
  /** Moving average of what round trips make of a weight: 1 answers as soon as others behind that guard, above 1 sooner; 1/2 to 2. */
  readonly latency: number
  /** Round trips in it, counted in the same way. */
  readonly answers: number
  /** Start of the day that growth is counted in. */
  readonly dayStartMs: number
  /** The product of both at the start of that day; it may at most double within it. */
  readonly dayStartRatio: number
}

/** Takes in one transfer. @param voice - undefined for a node that this guard showed nothing of @param ratio - its goodput beside the usual one through the guard */
export function hearRatio(voice: SpeedVoice | undefined, ratio: number, nowMs: number): SpeedVoice {
  const today = startDay(voice ?? newVoice(nowMs), nowMs)
  const samples = Math.min(FULL_SAMPLES, today.samples + 1)
  const mixed = today.ratio + (within(MAX_RATIO, ratio) - today.ratio) / samples
  return { ...today, samples, ratio: Math.min(mixed, mostOf(today) / today.latency) }
}

/** Takes in one round trip. @param laterMs - how much later it came than is usual through the guard; negative where sooner */
export function hearLateness(
  voice: SpeedVoice | undefined,
  laterMs: number,
  nowMs: number,
): SpeedVoice {
  const today = startDay(voice ?? newVoice(nowMs), nowMs)
  const answers = Math.min(FULL_SAMPLES, today.answers + 1)
  const factor = within(MAX_LATENCY, 2 ** (-laterMs / HALVES_MS))
  const mixed = today.latency + (factor - today.latency) / answers
  return { ...today, answers, latency: Math.min(mixed, mostOf(today) / today.ratio) }
}

/** How much later than usual a node answers whose round trips make this of its weight, ms; negative where sooner. What is beyond the bounds reads as these. */
export function latenessOf(latency: number): number {
  return -HALVES_MS * Math.log2(latency)
}

/** True for what may stand in a voice: a file of another program could hold anything. */
export function isLatency(latency: number): boolean {
  return latency >= 1 / MAX_LATENCY && latency <= MAX_LATENCY
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

/** Growth in idle days is not saved up. A day that begins more than one from now is of a clock that was wrong: it would last until then. */
function startDay(voice: SpeedVoice, nowMs: number): SpeedVoice {
  if (Math.abs(nowMs - voice.dayStartMs) < DAY_MS) return voice
  const dayStartRatio = Math.max(voice.ratio * voice.latency, FLOOR_RATIO)
  return { ...voice, dayStartMs: nowMs, dayStartRatio }
}

/** One bound for both: a node that becomes faster and nearer in a day has doubled all the same. */
function mostOf({ dayStartRatio }: SpeedVoice): number {
  return GROWTH_PER_DAY * dayStartRatio
}

function within(most: number, ratio: number): number {
  return Math.min(most, Math.max(1 / most, ratio))
}

function newVoice(nowMs: number): SpeedVoice {
  return { ratio: 1, samples: 0, latency: 1, answers: 0, dayStartMs: nowMs, dayStartRatio: 1 }
}

/** As many as a client has primary guards. */
const VOICES = 3

// Local limits (tunable): docs/LIMITS.md.
/** The first measurement is all that is known; from the fourth on the newest counts a quarter, so that four slow ones of a liar outweigh its past. */
const FULL_SAMPLES = 4
/** THREAT-MODEL T10: "at most doubled in a day". */
const GROWTH_PER_DAY = 2
/** Below this nothing could double its way back within a week. */
const FLOOR_RATIO = 0.05
/** No node is taken for more than so many times as fast as others, or as slow. */
const MAX_RATIO = 100
/** Milliseconds that halve a weight: as much later is felt on every click. */
const HALVES_MS = 100
/** Latency makes no more of a weight, and its inverse no less: exits near a client's guards say where those are (THREAT-MODEL). */
const MAX_LATENCY = 2
const DAY_MS = 86_400_000
