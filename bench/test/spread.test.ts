/** Each goal of the spreading of descriptors is a metric of its section. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOALS } from '../goals.ts'
import { FULL_COUNTS, SPREAD_METRICS } from '../sections/spread.ts'

test('each goal of spreading is a metric of its section', () => {
  const own = GOALS.filter(({ section }) => section === 'spread')
  assert.deepEqual(
    own.map(({ metric, limit }) => [metric, limit]),
    [
      [SPREAD_METRICS.known(FULL_COUNTS.known), 10],
      [SPREAD_METRICS.healed(FULL_COUNTS.cut), 60],
    ],
  )
})
