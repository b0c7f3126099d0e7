/** What a node has carried in this day and in this month of its line (DESIGN §8), and where that is kept between runs. */
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@byway/home'
import type { LocalClock } from './local-time.ts'

/** Bytes of cells, each counted once: it comes in by the line and goes out again. */
export type Carried = {
  /** When the day and the month began that are counted, ms. */
  readonly dayStartMs: number
  readonly monthStartMs: number
  readonly dayBytes: number
  readonly monthBytes: number
}

const FILE_NAME = 'share.json'

/** Nothing yet. */
export const NOTHING_CARRIED: Carried = {
  dayStartMs: 0,
  monthStartMs: 0,
  dayBytes: 0,
  monthBytes: 0,
}

/** Adds bytes; a new day and a new month begin at nothing. @param billingDay - 1 to 28 */
export function addCarried(
  carried: Carried,
  bytes: number,
  { nowMs, billingDay, clock }: { nowMs: number; billingDay: number; clock: LocalClock },
): Carried {
  const { year, month, day } = clock.timeOf(nowMs)
  const dayStartMs = clock.dayStartMs(year, month, day)
  const monthStartMs = clock.dayStartMs(year, day >= billingDay ? month : month - 1, billingDay)
  const isSameDay = carried.dayStartMs === dayStartMs
  const isSameMonth = carried.monthStartMs === monthStartMs
  return {
    dayStartMs,
    monthStartMs,
    dayBytes: (isSameDay ? carried.dayBytes : 0) + bytes,
    monthBytes: (isSameMonth ? carried.monthBytes : 0) + bytes,
  }
}

/** Reads what was kept; a file that was spoiled counts as nothing. @throws HOME_FILE_OPEN */
export async function readCarried(home: string): Promise<Carried> {
  const text = await readPrivateFile(join(home, FILE_NAME))
  try {
    const stored = JSON.parse(text ?? '{}') as Partial<Record<keyof Carried, unknown>>
    const { dayStartMs, monthStartMs, dayBytes, monthBytes } = stored
    const numbers = [dayStartMs, monthStartMs, dayBytes, monthBytes].map(Number)
    if (!numbers.every((each) => Number.isFinite(each) && each >= 0)) return NOTHING_CARRIED
    const [day = 0, month = 0, ofDay = 0, ofMonth = 0] = numbers
    return { dayStartMs: day, monthStartMs: month, dayBytes: ofDay, monthBytes: ofMonth }
  } catch {
    return NOTHING_CARRIED
  }
}

/** Writes it. @throws what writing throws */
export async function writeCarried(home: string, carried: Carried): Promise<void> {
  await writePrivateFile(join(home, FILE_NAME), `${JSON.stringify(carried)}\n`)
}
