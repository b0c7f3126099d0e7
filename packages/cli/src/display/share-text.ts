/** What a node shares at the moment, as `byway status` says it to people. */
import { describeBytes } from './path-text.ts'

const REASONS: Readonly<Record<string, string>> = {
  'quiet-hours': 'quiet hours',
  'daily-cap': "the day's cap",
  'monthly-cap': "the month's cap",
}

/** The lines of the field `share`; none where nothing is limited. @param timeText - how the household reads a time */
export function shareTexts(
  share: unknown,
  timeText: (ms: number) => string = localText,
): readonly string[] {
  if (typeof share !== 'object' || share === null) return []
  const field = (name: string): unknown => Reflect.get(share, name)
  const reason = REASONS[String(field('reason'))] ?? ''
  const until = field('until')
  const at = typeof until === 'string' ? timeText(Date.parse(until)) : undefined
  const state = field('state')
  const words =
    state === 'draining'
      ? [`takes nothing new, and hibernates from ${at ?? 'soon'} on: ${reason}`]
      : state === 'hibernating'
        ? [`hibernates ${at === undefined ? 'for good' : `until ${at}`}: ${reason}`]
        : []
  return [
    ...words,
    ...capText('today', field('dayBytes'), field('dailyCapBytes')),
    ...capText('this month', field('monthBytes'), field('monthlyCapBytes')),
  ]
}

function capText(when: string, bytes: unknown, cap: unknown): readonly string[] {
  if (typeof bytes !== 'number' || typeof cap !== 'number' || cap === 0) return []
  return [`carried ${describeBytes(bytes)} of ${describeBytes(cap)} ${when}`]
}

function localText(ms: number): string {
  return new Date(ms).toLocaleString('sv')
}
