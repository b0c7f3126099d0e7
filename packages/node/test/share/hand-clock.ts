/** A wall clock in UTC that a test sets. */
import type { LocalClock } from '../../src/share/local-time.ts'

export const UTC_CLOCK: LocalClock = {
  timeOf(ms) {
    const date = new Date(ms)
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
      minute: date.getUTCHours() * 60 + date.getUTCMinutes(),
    }
  },
  dayStartMs: (year, month, day) => Date.UTC(year, month - 1, day),
}

/** `2026-11-20 21:49`, a Friday. */
export function utc(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`)
}
