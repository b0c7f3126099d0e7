import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGoodputMeter } from '../../src/engine/goodput-meter.ts'

const KIB = 1024

test('the best second of ten is what a leg brings', () => {
  const meter = createGoodputMeter()
  for (let ms = 0; ms < 10_000; ms += 100) {
    const bytes = ms >= 4000 && ms < 5000 ? 50 * KIB : KIB
    assert.equal(meter.take(bytes, ms), undefined)
  }
  assert.deepEqual(meter.take(1, 10_000), { bytes: 500 * KIB, durationMs: 1000 })
})

test('a second is a second, whatever came before it and however long the pause was', () => {
  const meter = createGoodputMeter()
  meter.take(100 * KIB, 0)
  meter.take(100 * KIB, 999)
  meter.take(100 * KIB, 5000)
  assert.deepEqual(meter.end(), { bytes: 200 * KIB, durationMs: 1000 })
  assert.equal(meter.end(), undefined, 'and counts once')
})

test('little is no measurement', () => {
  const meter = createGoodputMeter()
  meter.take(64 * KIB - 1, 0)
  assert.equal(meter.take(1, 20_000), undefined)
  assert.equal(meter.end(), undefined)
})
