import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  chooseWeighted,
  NEW_NODE_WEIGHT,
  type NodeRecord,
  type Observation,
  observeNode,
  unitRandom,
  weightOfNode,
} from '@byway/protocol/directory'
import { HOUR_MS, NOW_MS, seeded } from './registry.ts'

/** A transfer of 1 MB at this rate. */
const transfer = (mbitPerS: number): Observation => ({
  type: 'transfer',
  bytes: 1_000_000,
  durationMs: 8000 / mbitPerS,
})

function observe(
  record: NodeRecord | undefined,
  observation: Observation,
  times: number,
  nowMs = NOW_MS,
): NodeRecord | undefined {
  let current = record
  for (let i = 0; i < times; i++) current = observeNode(current, observation, nowMs)
  return current
}

test('a node never used has the small weight of a new one', () => {
  assert.equal(weightOfNode(undefined), NEW_NODE_WEIGHT)
})

test('weight at most doubles in a day, however good the service (THREAT-MODEL T10)', () => {
  let record: NodeRecord | undefined
  for (let day = 0; day < 5; day++) {
    const before = weightOfNode(record)
    for (let hour = 0; hour < 24; hour++) {
      record = observe(record, transfer(1000), 50, NOW_MS + (24 * day + hour) * HOUR_MS)
      assert.ok(weightOfNode(record) <= 2 * before * 1.0001)
    }
  }
  assert.ok(weightOfNode(record) > 16)
})

test('a fast node that slows down falls below twice its true share within 50 circuits (THREAT-MODEL T10)', () => {
  let record: NodeRecord | undefined
  for (let day = 0; day < 12; day++)
    record = observe(record, transfer(1000), 50, NOW_MS + day * 24 * HOUR_MS)
  assert.ok(weightOfNode(record) > 500)
  record = observe(record, transfer(1), 50, NOW_MS + 12 * 24 * HOUR_MS)
  assert.ok(weightOfNode(record) < 2)
})

test('failures take weight away and successes give it back; none ever reaches zero', () => {
  const failed = observe(undefined, { type: 'failure' }, 10)
  assert.ok(weightOfNode(failed) < 0.2)
  const hopeless = observe(undefined, { type: 'failure' }, 1000)
  assert.ok(weightOfNode(hopeless) > 0)
  assert.ok(weightOfNode(observe(hopeless, { type: 'success' }, 50)) > 0.9)
})

test('idle days are not saved up as growth', () => {
  const used = observe(undefined, transfer(1000), 50)
  const later = observe(used, transfer(1000), 50, NOW_MS + 30 * 24 * HOUR_MS)
  assert.ok(weightOfNode(later) <= 2 * weightOfNode(used) * 1.0001)
})

test('transfers too short to measure, and impossible ones, count for nothing', () => {
  const start = observeNode(undefined, { type: 'success' }, NOW_MS)
  const odd: readonly Observation[] = [
    { type: 'transfer', bytes: 1000, durationMs: 0.001 },
    { type: 'transfer', bytes: 1e9, durationMs: 0 },
    { type: 'transfer', bytes: 1e9, durationMs: -5 },
    { type: 'transfer', bytes: Number.NaN, durationMs: 5 },
  ]
  for (const observation of odd) assert.deepEqual(observeNode(start, observation, NOW_MS), start)
})

test('a weighted choice follows the weights and leaves out what weighs nothing', () => {
  const random = seeded(3)
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 10_000; i++) counts[chooseWeighted([1, 0, 3, -1], random) ?? 3]!++
  assert.deepEqual([counts[1], counts[3]], [0, 0])
  // Three standard deviations of a quarter of 10 000.
  assert.ok(Math.abs(counts[0]! - 2500) < 130, `${counts[0]}`)
  assert.equal(chooseWeighted([], random), undefined)
  assert.equal(chooseWeighted([0, Number.NaN], random), undefined)
  assert.equal(
    chooseWeighted([1, 1], () => 1 - 2 ** -48),
    1,
  )
})

test('numbers made of bytes lie in [0, 1)', () => {
  assert.equal(unitRandom((count) => new Uint8Array(count))(), 0)
  assert.equal(unitRandom((count) => new Uint8Array(count).fill(255))(), 1 - 2 ** -48)
  assert.equal(unitRandom((count) => Uint8Array.of(128, ...new Uint8Array(count - 1)))(), 0.5)
})
