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
import { seeded } from './registry.ts'

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
): NodeRecord | undefined {
  let current = record
  for (let i = 0; i < times; i++) current = observeNode(current, observation)
  return current
}

test('a node never used has the small weight of a new one', () => {
  assert.equal(weightOfNode(undefined), NEW_NODE_WEIGHT)
})

test('what was measured is told, and moves no weight without what guards agree on', () => {
  const record = observe(undefined, transfer(1000), 50)
  assert.equal(record?.goodputKbps, 1_000_000)
  assert.equal(weightOfNode(record), NEW_NODE_WEIGHT)
  assert.equal(weightOfNode(record, 3), 3 * NEW_NODE_WEIGHT)
})

test('the first transfer is all that is known of a line, and each further one counts a quarter', () => {
  const first = observe(undefined, transfer(8), 1)
  assert.equal(first?.goodputKbps, 8000)
  assert.equal(observe(first, transfer(4), 1)?.goodputKbps, 7000)
})

test('failures take weight away and successes give it back; none ever reaches zero', () => {
  const failed = observe(undefined, { type: 'failure' }, 10)
  assert.ok(weightOfNode(failed) < 0.2)
  const hopeless = observe(undefined, { type: 'failure' }, 1000)
  assert.ok(weightOfNode(hopeless) > 0)
  assert.ok(weightOfNode(observe(hopeless, { type: 'success' }, 50)) > 0.9)
})

test('transfers too short to measure, and impossible ones, count for nothing', () => {
  const start = observeNode(undefined, { type: 'success' })
  const odd: readonly Observation[] = [
    { type: 'transfer', bytes: 1000, durationMs: 0.001 },
    { type: 'transfer', bytes: 1e9, durationMs: 0 },
    { type: 'transfer', bytes: 1e9, durationMs: -5 },
    { type: 'transfer', bytes: Number.NaN, durationMs: 5 },
  ]
  for (const observation of odd) assert.deepEqual(observeNode(start, observation), start)
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
