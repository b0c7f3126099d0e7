/** Hours in which a home wants its line for itself (DESIGN §8): `22:00-07:00`, `mon-fri 18:00-23:00`, `sat,sun 10:00-12:00`. Days are those on which a span begins. Pure. */
import type { LocalClock, LocalTime } from './local-time.ts'

/** One span of each of some weekdays. */
export type QuietSpan = {
  /** 0 is Sunday. */
  readonly weekdays: readonly number[]
  /** Minutes of the day; an end that is not later lies on the next day. */
  readonly fromMin: number
  readonly toMin: number
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const DAY_MIN = 1440
const MINUTE_MS = 60_000
const FORM = /^(?:([a-z,-]+) +)?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/

/** Undefined for what is none. */
export function parseQuietSpan(text: string): QuietSpan | undefined {
  const [, days, fromH, fromM, toH, toM] = FORM.exec(text.trim().toLowerCase()) ?? []
  if (fromH === undefined) return undefined
  const weekdays = days === undefined ? DAYS.map((_, day) => day) : parseDays(days)
  const fromMin = Number(fromH) * 60 + Number(fromM)
  const toMin = Number(toH) * 60 + Number(toM)
  return weekdays && { weekdays, fromMin, toMin }
}

/** True within one of the spans. */
export function isQuiet(spans: readonly QuietSpan[], { weekday, minute }: LocalTime): boolean {
  return spans.some(({ weekdays, fromMin, toMin }) => {
    const length = (toMin - fromMin + DAY_MIN) % DAY_MIN || DAY_MIN
    const isIn = (day: number, since: number): boolean =>
      weekdays.includes(day) && since >= 0 && since < length
    return isIn(weekday, minute - fromMin) || isIn((weekday + 6) % 7, minute + DAY_MIN - fromMin)
  })
}

/** When it is next quiet, or loud, looked for by the minute up to a time; undefined when it is not before that. */
export function nextQuietMs(
  spans: readonly QuietSpan[],
  { isLoud = false, fromMs, untilMs }: { isLoud?: boolean; fromMs: number; untilMs: number },
  clock: LocalClock,
): number | undefined {
  for (let atMs = fromMs; atMs <= untilMs; atMs = nextMinute(atMs)) {
    if (isQuiet(spans, clock.timeOf(atMs)) !== isLoud) return atMs
  }
  return undefined
}

/** Zones are whole minutes from UTC. */
function nextMinute(atMs: number): number {
  return (Math.floor(atMs / MINUTE_MS) + 1) * MINUTE_MS
}

/** `mon-fri,sun`; a range may run past the week's end. */
function parseDays(text: string): readonly number[] | undefined {
  const found = new Set<number>()
  for (const part of text.split(',')) {
    const ends = part.split('-')
    const [first, last = first] = ends.map((name) => DAYS.findIndex((day) => day === name))
    if (ends.length > 2 || first === undefined || last === undefined) return undefined
    if (first < 0 || last < 0) return undefined
    for (let day = first; ; day = (day + 1) % 7) {
      found.add(day)
      if (day === last) break
    }
  }
  return [...found].toSorted((a, b) => a - b)
}
