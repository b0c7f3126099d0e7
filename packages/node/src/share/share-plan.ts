/**
 * When a node serves, and when it says that it will stop (DESIGN §5, §8): ten minutes ahead of quiet hours, and of the moment at which a cap would be used up. Pure.
 * @module
 */
import type { Carried } from './carried.ts'
import type { LocalClock } from './local-time.ts'
import { isQuiet, nextQuietMs, type QuietSpan } from './quiet-hours.ts'

/** What the household allows. */
export type ShareRules = {
  readonly quietHours: readonly QuietSpan[]
  /** Bytes that are carried in a day, and in a month; 0 for no cap. */
  readonly dailyCapBytes: number
  readonly monthlyCapBytes: number
  /** On which day a month of the line begins, 1 to 28. */
  readonly billingDay: number
}

export type ShareReason = 'quiet-hours' | 'daily-cap' | 'monthly-cap'

/** What the node does. Times are wall clock. */
export type ShareState =
  | { readonly state: 'open' }
  | { readonly state: 'draining'; readonly reason: ShareReason; readonly untilMs: number }
  /** Until it serves again; undefined where that is never. */
  | {
      readonly state: 'hibernating'
      readonly reason: ShareReason
      readonly untilMs: number | undefined
    }

/** DESIGN §5: "DRAIN is announced ten minutes ahead". */
export const DRAIN_AHEAD_MS = 600_000
/** Every quiet span ends within a week, or never. */
const WEEK_MS: number = 7 * 86_400_000

export type ShareNow = {
  readonly nowMs: number
  readonly carried: Carried
  /** Carried in the last ten minutes: what the next ten may bring. */
  readonly lately: number
  readonly before: ShareState
}

/** Returns what the node shall do now. */
export function planShare(rules: ShareRules, now: ShareNow, clock: LocalClock): ShareState {
  const { nowMs, carried, lately, before } = now
  if (isQuiet(rules.quietHours, clock.timeOf(nowMs))) return quiet(rules, now, clock)
  const caps = capsOf(rules, nowMs, carried, clock)
  const used = caps.find(({ left }) => left <= 0)
  if (used) return { state: 'hibernating', reason: used.reason, untilMs: used.endMs }
  if (before.state === 'hibernating' && before.reason !== 'quiet-hours')
    if (before.untilMs !== undefined && nowMs < before.untilMs) return before
  if (before.state === 'draining') {
    if (nowMs < before.untilMs) return before
    // What is left of the cap is less than ten minutes carried before: it is left.
    const { reason } = before
    const endMs = caps.find((cap) => cap.reason === reason)?.endMs
    if (endMs !== undefined) return { state: 'hibernating', reason, untilMs: endMs }
  }
  const untilMs = nowMs + DRAIN_AHEAD_MS
  const quietMs = nextQuietMs(rules.quietHours, { fromMs: nowMs, untilMs }, clock)
  if (quietMs !== undefined) return { state: 'draining', reason: 'quiet-hours', untilMs: quietMs }
  const near = caps.find(({ left }) => left <= lately)
  return near ? { state: 'draining', reason: near.reason, untilMs } : { state: 'open' }
}

function quiet(
  { quietHours }: ShareRules,
  { nowMs, before }: ShareNow,
  clock: LocalClock,
): ShareState {
  if (before.state === 'hibernating' && before.reason === 'quiet-hours') return before
  const range = { isLoud: true, fromMs: nowMs, untilMs: nowMs + WEEK_MS }
  return {
    state: 'hibernating',
    reason: 'quiet-hours',
    untilMs: nextQuietMs(quietHours, range, clock),
  }
}

/** A cap, what of it is left, and when that is all there again. */
type Cap = {
  readonly reason: 'daily-cap' | 'monthly-cap'
  readonly left: number
  readonly endMs: number
}

function capsOf(
  { dailyCapBytes, monthlyCapBytes, billingDay }: ShareRules,
  nowMs: number,
  { dayBytes, monthBytes }: Carried,
  clock: LocalClock,
): readonly Cap[] {
  const { year, month, day } = clock.timeOf(nowMs)
  const nextMonth = day >= billingDay ? month + 1 : month
  const caps: readonly Cap[] = [
    {
      reason: 'monthly-cap',
      left: monthlyCapBytes - monthBytes,
      endMs: clock.dayStartMs(year, nextMonth, billingDay),
    },
    {
      reason: 'daily-cap',
      left: dailyCapBytes - dayBytes,
      endMs: clock.dayStartMs(year, month, day + 1),
    },
  ]
  return caps.filter(({ reason }) => (reason === 'daily-cap' ? dailyCapBytes : monthlyCapBytes) > 0)
}
