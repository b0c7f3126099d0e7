import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  lastingFactor,
  noteSighting,
  remainingMsOf,
  stayChanceOf,
  type Doubter,
  type UptimeRecord,
} from '@byway/protocol/directory'
import { HOUR_MS, keyOf, NOW_MS } from './registry.ts'

const DAY_MS = 24 * HOUR_MS
const times = fc.integer({ min: 1, max: 30 * DAY_MS })
const records = fc.record({
  upMs: fc.integer({ min: 0, max: 20 * DAY_MS }),
  departures: fc.integer({ min: 0, max: 40 }),
  isUp: fc.boolean(),
  atMs: fc.constant(NOW_MS),
  doubters: fc.constant([]),
})
/** What may be seen of a node, and how long after the last. */
const sightings = fc.array(
  fc.record({
    waitMs: fc.integer({ min: 0, max: 3 * DAY_MS }),
    type: fc.constantFrom('seen', 'seen', 'seen', 'doubt', 'gone'),
    by: fc.constantFrom('self' as const, keyOf(1), keyOf(2)),
    /** How far back it is dated, as editions may be. */
    backMs: fc.integer({ min: -DAY_MS, max: 2 * DAY_MS }),
  }),
  { maxLength: 60 },
)

type Seen = typeof sightings extends fc.Arbitrary<infer T> ? T : never

function watched(list: Seen): {
  readonly record: UptimeRecord | undefined
  readonly nowMs: number
} {
  let record: UptimeRecord | undefined
  let nowMs = NOW_MS
  for (const { waitMs, type, by, backMs } of list) {
    nowMs += waitMs
    const atMs = nowMs - backMs
    record = noteSighting(
      record,
      type === 'doubt' ? { type, by } : { type: type === 'gone' ? 'gone' : 'seen', atMs },
      nowMs,
    )
  }
  return { record, nowMs }
}

suite('how long a node is likely to stay (SPEC §10.3)', () => {
  test('half of such nodes are still there after the remaining time', () => {
    fc.assert(
      fc.property(records, (record) => {
        const up = { ...record, isUp: true }
        assert.ok(Math.abs(stayChanceOf(up, remainingMsOf(up)) - 0.5) < 1e-9)
        assert.equal(stayChanceOf({ ...record, isUp: false }, 1), 0)
      }),
    )
  })

  test('who never went stays as long again as it was seen, and an hour who is new', () => {
    const seen = (upMs: number): UptimeRecord => ({
      upMs,
      departures: 0,
      isUp: true,
      atMs: NOW_MS,
      doubters: [],
    })
    assert.equal(remainingMsOf(seen(3 * DAY_MS)), 3 * DAY_MS + HOUR_MS)
    assert.equal(remainingMsOf(undefined), HOUR_MS)
  })

  test('is longer the longer it was up, shorter the oftener it went and the longer the stream', () => {
    fc.assert(
      fc.property(records, times, times, (record, lastsMs, moreMs) => {
        const up = { ...record, isUp: true }
        const longer = { ...up, upMs: up.upMs + moreMs }
        const oftener = { ...up, departures: up.departures + 1 }
        // Beyond what numbers tell apart both are the same.
        assert.ok(stayChanceOf(longer, lastsMs) >= stayChanceOf(up, lastsMs))
        assert.ok(stayChanceOf(oftener, lastsMs) <= stayChanceOf(up, lastsMs))
        assert.ok(remainingMsOf(oftener) < remainingMsOf(up))
        assert.ok(lastingFactor(up, lastsMs + moreMs) <= lastingFactor(up, lastsMs))
        const factor = lastingFactor(record, lastsMs)
        assert.ok(factor >= 0.02 && factor <= 1)
      }),
    )
  })

  test('counts nothing before it was heard of, whatever dates its editions bear', () => {
    fc.assert(
      fc.property(sightings, (list) => {
        const { record, nowMs } = watched(list)
        if (!record) return
        const watchedMs = nowMs - NOW_MS
        assert.ok(record.upMs <= watchedMs, `${record.upMs} of ${watchedMs}`)
        // However long it is watched: what is older fades.
        assert.ok(record.upMs <= (14 * DAY_MS) / Math.LN2 + DAY_MS)
        assert.ok(record.atMs <= nowMs)
      }),
    )
  })

  test('a gap longer than between two editions counts for nothing, a shorter one in full', () => {
    const first = noteSighting(undefined, { type: 'seen', atMs: NOW_MS }, NOW_MS)
    const after = (hours: number): UptimeRecord => {
      const atMs = NOW_MS + hours * HOUR_MS
      return noteSighting(first, { type: 'seen', atMs }, atMs)
    }
    assert.equal(after(12).upMs, 12 * HOUR_MS)
    assert.equal(after(15).upMs, 0)
    assert.equal(after(15).departures, 0, 'and says nothing against it')
  })

  test('what one observer does not reach is no departure, however often, what two do not is one, and it counts again when it is seen', () => {
    const hour = (n: number): number => NOW_MS + n * HOUR_MS
    const seen = (record: UptimeRecord | undefined, n: number): UptimeRecord =>
      noteSighting(record, { type: 'seen', atMs: hour(n) }, hour(n))
    const doubted = (record: UptimeRecord, n: number, ...by: Doubter[]): UptimeRecord =>
      by.reduce((last, each) => noteSighting(last, { type: 'doubt', by: each }, hour(n)), record)
    const [one, other] = [keyOf(1), keyOf(2)]
    let record = seen(seen(undefined, 0), 10)
    record = doubted(record, 11, one, one, one)
    assert.deepEqual([record.isUp, record.departures, record.doubters], [true, 0, [one]])
    record = doubted(seen(record, 12), 12, other)
    assert.deepEqual([record.isUp, record.departures], [true, 0], 'what was before is forgotten')
    record = doubted(seen(record, 13), 13, 'self', 'self')
    assert.deepEqual([record.isUp, record.departures], [true, 0], 'the own line may be down')
    record = doubted(record, 13, one)
    assert.deepEqual([record.isUp, record.departures], [false, 1])
    assert.equal(remainingMsOf(record), 0)
    record = doubted(record, 14, one, other)
    assert.equal(record.departures, 1, 'it goes once')
    const before = record.upMs
    record = seen(record, 15)
    assert.deepEqual([record.isUp, record.upMs], [true, before], 'the time away counts for nothing')
  })

  test('an edition that shows an earlier departure counts it, and takes nothing from who was seen since', () => {
    const first = noteSighting(undefined, { type: 'seen', atMs: NOW_MS }, NOW_MS)
    const later = NOW_MS + HOUR_MS
    const seen = noteSighting(first, { type: 'seen', atMs: later }, later)
    const gone = noteSighting(seen, { type: 'gone', atMs: later - 1 }, later)
    assert.deepEqual([gone.isUp, gone.departures], [true, 1])
  })
})
