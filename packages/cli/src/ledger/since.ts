/** Reads `--since`: a day or a time, or so long ago. */
import { cliError } from '../cli-errors.ts'

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/**
 * `2026-11-01`, `2026-11-01T12:00`, `2026-11-01T12:00:00Z` (UTC where no zone is given), or `90m`, `24h`, `7d`, `4w` before now.
 * @returns milliseconds since 1970
 * @throws CLI_USAGE
 */
export function parseSince(text: string, nowMs: number): number {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text)
  if (ago) {
    const unit = UNITS_MS[ago[2] as keyof typeof UNITS_MS]
    return Math.max(0, nowMs - Number(ago[1]) * unit)
  }
  const time =
    /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text)
  const isDay = text.length === 10
  const atMs = time ? Date.parse(isDay || time[1] ? text : `${text}Z`) : Number.NaN
  if (Number.isNaN(atMs) || atMs < 0) {
    const problem = '--since must be a day or time such as 2026-11-01, or 24h, 7d, 4w'
    throw cliError('CLI_USAGE', { problem })
  }
  return atMs
}
