import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareTexts } from '../../src/display/share-text.ts'

const OPEN = {
  state: 'open',
  reason: null,
  until: null,
  dayBytes: 0,
  dailyCapBytes: 0,
  monthBytes: 0,
  monthlyCapBytes: 0,
}
const timeOf = (ms: number): string => new Date(ms).toISOString().slice(11, 16)
const UNTIL = { until: '2026-11-20T23:00:00.000Z' }

test('nothing is said where nothing is limited, or nothing is near', () => {
  for (const share of [undefined, null, 'open', OPEN]) assert.deepEqual(shareTexts(share), [])
})

test('what a node does, until when and why, is said with what its caps have left', () => {
  const draining = { ...OPEN, ...UNTIL, state: 'draining', reason: 'quiet-hours' }
  assert.deepEqual(shareTexts(draining, timeOf), [
    'takes nothing new, and hibernates from 23:00 on: quiet hours',
  ])
  const capped = { dayBytes: 2_000_000_000, dailyCapBytes: 2_000_000_000 }
  const asleep = { ...OPEN, ...UNTIL, ...capped, state: 'hibernating', reason: 'daily-cap' }
  const [first, second] = shareTexts(asleep, timeOf)
  assert.equal(first, "hibernates until 23:00: the day's cap")
  assert.match(second ?? '', /^carried .* of .* today$/)
  const always = { ...OPEN, state: 'hibernating', reason: 'quiet-hours' }
  assert.deepEqual(shareTexts(always), ['hibernates for good: quiet hours'])
})
