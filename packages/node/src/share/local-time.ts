/** Days and hours as the household has them: the machine's time zone, summer time included. */

/** A moment on the wall. */
export type LocalTime = {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
  /** 0 is Sunday. */
  readonly weekday: number
  /** Of the day, 0 to 1439. */
  readonly minute: number
}

/** Turns times into moments on the wall and back. */
export interface LocalClock {
  timeOf(ms: number): LocalTime
  /** The beginning of a day; days beyond a month's end are of the next month. */
  dayStartMs(year: number, month: number, day: number): number
}

/** By the machine's time zone. */
export const SYSTEM_CLOCK: LocalClock = {
  timeOf(ms) {
    const date = new Date(ms)
    return {
      year: date.getFullYear(),
      month: date.getMonth() + 1,
      day: date.getDate(),
      weekday: date.getDay(),
      minute: date.getHours() * 60 + date.getMinutes(),
    }
  },
  dayStartMs: (year, month, day) => new Date(year, month - 1, day).getTime(),
}
