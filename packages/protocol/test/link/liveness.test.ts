import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLiveness } from '../../src/link/liveness.ts'

const idle = { outstandingBytes: 0, progressAtMs: 0, lateMs: 0 }

/** Ticks every 100 ms of virtual time; returns what came out with its time. */
function run(liveness: ReturnType<typeof createLiveness>, untilMs: number, view = idle) {
  const outputs: { atMs: number; what: string }[] = []
  for (let now = 0; now <= untilMs; now += 100) {
    const what = liveness.tick(now, view)
    if (what) outputs.push({ atMs: now, what })
    if (what === 'ping' || what === 'pad') liveness.onSent(now)
    if (what === 'dead') break
  }
  return outputs
}

test('finds a black-holed idle peer within 45 s (SPEC §4.5)', () => {
  const outputs = run(createLiveness(0, { isPadded: false, random: () => 0 }), 60_000)
  assert.deepEqual(outputs, [
    { atMs: 15_000, what: 'ping' },
    { atMs: 30_000, what: 'ping' },
    { atMs: 45_000, what: 'dead' },
  ])
})

test('finds a black-holed peer within 10 s when data is outstanding (SPEC §4.5)', () => {
  const view = { outstandingBytes: 16_384, progressAtMs: 0, lateMs: 0 }
  const outputs = run(createLiveness(0, { isPadded: false, random: () => 0 }), 60_000, view)
  assert.deepEqual(outputs, [
    { atMs: 3000, what: 'ping' },
    { atMs: 9000, what: 'dead' },
  ])
})

test('does not blame the peer for our own late event loop (SPEC §4.5)', () => {
  const liveness = createLiveness(0, { isPadded: false, random: () => 0 })
  for (let now = 0; now < 300_000; now += 20_000) {
    assert.notEqual(liveness.tick(now, { ...idle, lateMs: 19_900 }), 'dead')
  }
})

test('pads at random 1.5–9.5 s of silence of its own, and only then (SPEC §4.5)', () => {
  let draws = 0
  const liveness = createLiveness(0, { isPadded: true, random: () => (draws++ % 10) / 10 })
  const gaps: number[] = []
  let lastSentMs = 0
  for (let now = 0; now < 3_600_000; now += 50) {
    liveness.onHeard(now)
    if (liveness.tick(now, idle) === 'pad') {
      gaps.push(now - lastSentMs)
      lastSentMs = now
      liveness.onSent(now)
    }
  }
  assert.ok(gaps.length > 400)
  assert.ok(
    Math.min(...gaps) >= 1500 && Math.max(...gaps) <= 9550,
    `${Math.min(...gaps)}…${Math.max(...gaps)}`,
  )
  const bytesPerSecond = (gaps.length * 1024) / 3600
  assert.ok(bytesPerSecond <= 420, `${bytesPerSecond} B/s`)
})
