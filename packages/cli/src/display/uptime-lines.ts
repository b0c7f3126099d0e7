/** How long a node is likely to stay, as `byway node score` says it. It changes the weight for streams that last, and for no other. */
import type { NodeScore } from '@byway/client'
import { lastingFactor, remainingMsOf } from '@byway/protocol/directory'
import type { ScoreLine } from './score-line.ts'

/** A terminal or a chat: as `byway` takes streams of such ports. */
const SHOWN_HOURS = 6

/** Says for how long it was seen up, how often it went, and what that makes of it. Nothing of a node that was only just heard of. */
export function uptimeLines({ uptime }: NodeScore): readonly ScoreLine[] {
  if (!uptime || (uptime.upMs === 0 && uptime.isUp)) return []
  const { upMs, departures, isUp } = uptime
  const seen = `it was seen up for ${timeText(upMs)}, and ${goneText(departures)}`
  const stays = isUp
    ? `half of such nodes stay another ${timeText(remainingMsOf(uptime))}`
    : 'it has gone and was not seen again'
  const factor = lastingFactor(uptime, SHOWN_HOURS * HOUR_MS)
  const evidence = `${seen}: ${stays}. Changes no weight but that for streams of ${SHOWN_HOURS} hours (terminals, chats, sessions), × ${factor.toFixed(2)}`
  const remedy = factor < 1 ? 'keep it running: what stays up for a day or more counts in full' : ''
  return [{ reason: 'uptime', factor: 1, evidence, remedy }]
}

const HOUR_MS = 3_600_000

/** `3.2 days`, `4.5 hours`, `12 minutes` */
function timeText(ms: number): string {
  if (ms >= 48 * HOUR_MS) return `${(ms / 24 / HOUR_MS).toFixed(1)} days`
  if (ms >= 2 * HOUR_MS) return `${(ms / HOUR_MS).toFixed(1)} hours`
  return `${Math.round(ms / 60_000)} minutes`
}

/** Older departures count in part. */
function goneText(departures: number): string {
  if (departures < 0.05) return 'never went'
  return departures === 1 ? 'went once' : `went ${Number(departures.toFixed(1))} times`
}
