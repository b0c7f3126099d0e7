/** The bench of the directory gives figures of what really came back, and a figure for each of its goals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { measureDirectory } from '../../packages/net/bench/directory.bench.ts'
import { GOALS } from '../goals.ts'
import { measureJunk } from '../lib/junk.ts'
import { DIRECTORY_METRICS } from '../sections/directory.ts'

test('a small set is measured whole, and grows with its nodes', () => {
  const [small, large] = [measureDirectory(50), measureDirectory(400)]
  assert.ok(small.wholeBytes < large.wholeBytes)
  assert.ok(large.wholeBytes < 400 * 1536)
  const { churn, ...figures } = large
  for (const figure of Object.values(figures)) assert.ok(figure > 0)
  // What comes back makes an hour dearer, and never dearer than all of it.
  const curve = [large.hourBytes, ...churn.map(({ hourBytes }) => hourBytes)]
  assert.deepEqual(
    curve,
    curve.toSorted((a, b) => a - b),
  )
})

test('mutated descriptors are refused one and all by a process that keeps what it has', async () => {
  const { before, after, mostBytes } = await measureJunk(50, 20_000, 100)
  for (const bytes of [mostBytes, before.residentBytes, after.residentBytes])
    assert.ok(bytes > 20e6)
  // A descriptor takes 500 bytes: none of them is kept.
  assert.ok(after.heldBytes - before.heldBytes < 5e6, `${after.heldBytes - before.heldBytes}`)
})

test('each goal of the directory is a metric of its section', () => {
  const metrics: readonly unknown[] = Object.values(DIRECTORY_METRICS)
  const own = GOALS.filter(({ section }) => section === 'directory')
  assert.ok(own.length > 0)
  for (const { metric } of own) assert.ok(metrics.includes(metric), metric)
})
