import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  isQuiet,
  nextQuietMs,
  parseQuietSpan,
  type QuietSpan,
} from '../../src/share/quiet-hours.ts'
import { SYSTEM_CLOCK } from '../../src/share/local-time.ts'
import { utc, UTC_CLOCK } from './hand-clock.ts'

function spanOf(text: string): QuietSpan {
  const span = parseQuietSpan(text)
  assert.ok(span, text)
  return span
}

const quietAt = (hours: string, time: string): boolean =>
  isQuiet([spanOf(hours)], UTC_CLOCK.timeOf(utc(time)))

suite('quiet hours (DESIGN §8)', () => {
  test('begin with their first minute and end before their last', () => {
    const times = ['17:59', '18:00', '22:59', '23:00'].map((time) => `2026-11-20 ${time}`)
    assert.deepEqual(
      times.map((time) => quietAt('18:00-23:00', time)),
      [false, true, true, false],
    )
  })

  test('run past midnight, on the days on which they begin', () => {
    const friday = 'fri 22:00-07:00'
    assert.deepEqual(
      ['2026-11-20 23:00', '2026-11-21 06:59', '2026-11-21 07:00', '2026-11-21 22:30'].map((time) =>
        quietAt(friday, time),
      ),
      [true, true, false, false],
    )
    assert.equal(quietAt('sat 22:00-07:00', '2026-11-22 06:00'), true, 'into another week')
  })

  test('may name days, ranges of them and ranges past the end of a week', () => {
    assert.deepEqual(spanOf('Mon-Fri 18:00-23:00').weekdays, [1, 2, 3, 4, 5])
    assert.deepEqual(spanOf('sat,sun 10:00-12:00').weekdays, [0, 6])
    assert.deepEqual(spanOf('fri-mon,wed 10:00-12:00').weekdays, [0, 1, 3, 5, 6])
    assert.equal(spanOf('10:00-12:00').weekdays.length, 7)
  })

  test('of a whole day end when it ends', () => {
    assert.equal(quietAt('sun 00:00-00:00', '2026-11-22 23:59'), true)
    assert.equal(quietAt('sun 00:00-00:00', '2026-11-23 00:00'), false)
  })

  test('are refused in any other form', () => {
    for (const text of [
      '',
      '24:00-07:00',
      '7:00-8:00',
      'day 10:00-12:00',
      'mon-tue-wed 10:00-12:00',
      '10:00',
      'mon 10:00',
      '10:60-12:00',
      ', 10:00-12:00',
    ])
      assert.equal(parseQuietSpan(text), undefined, text)
  })

  test('are found by the minute before they begin, and their end', () => {
    const spans = [spanOf('22:00-07:00')]
    const fromMs = utc('2026-11-20 21:50') + 30_000
    const ahead = { fromMs, untilMs: fromMs + 600_000 }
    assert.equal(nextQuietMs(spans, ahead, UTC_CLOCK), utc('2026-11-20 22:00'))
    assert.equal(nextQuietMs(spans, { fromMs, untilMs: fromMs + 500_000 }, UTC_CLOCK), undefined)
    const end = { isLoud: true, fromMs: utc('2026-11-20 23:00'), untilMs: utc('2026-11-27 23:00') }
    assert.equal(nextQuietMs(spans, end, UTC_CLOCK), utc('2026-11-21 07:00'))
    const always = [spanOf('00:00-00:00')]
    assert.equal(nextQuietMs(always, end, UTC_CLOCK), undefined)
  })

  test("a machine's own clock names the day that its calendar names", () => {
    const ms = utc('2026-11-20 12:34')
    const { year, month, day, minute } = SYSTEM_CLOCK.timeOf(ms)
    const startMs = SYSTEM_CLOCK.dayStartMs(year, month, day)
    assert.ok(startMs <= ms && ms < SYSTEM_CLOCK.dayStartMs(year, month, day + 1))
    assert.equal((ms - startMs) / 60_000, minute)
  })
})

test('a span is quiet for as many minutes of a week as it says', () => {
  const minute = fc.nat(1439)
  const days = fc.uniqueArray(fc.nat(6), { minLength: 1 })
  fc.assert(
    fc.property(days, minute, minute, (weekdays, fromMin, toMin) => {
      const spans = [{ weekdays, fromMin, toMin }]
      const startMs = utc('2026-11-15 00:00')
      let quiet = 0
      for (let at = 0; at < 7 * 1440; at++)
        quiet += Number(isQuiet(spans, UTC_CLOCK.timeOf(startMs + at * 60_000)))
      assert.equal(quiet, weekdays.length * ((toMin - fromMin + 1440) % 1440 || 1440))
    }),
    { numRuns: 20 },
  )
})
