/** Each goal of gossip is a metric of its section. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOALS } from '../goals.ts'
import { GOSSIP_METRICS } from '../sections/gossip.ts'

test('each goal of gossip is a metric of its section', () => {
  const metrics: readonly string[] = Object.values(GOSSIP_METRICS)
  const own = GOALS.filter(({ section }) => section === 'gossip')
  assert.equal(own.length, 2)
  for (const { metric } of own) assert.ok(metrics.includes(metric), metric)
})
