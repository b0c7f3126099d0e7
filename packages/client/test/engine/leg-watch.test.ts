import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { startLegWatch } from '../../src/engine/leg-watch.ts'

/** A watch whose clock and looks are the test's. */
function makeWatch(t: TestContext) {
  const world = { nowMs: 0, isNeeded: true, isSending: false, probes: 0, silences: 0 }
  const watch = startLegWatch({
    nowMs: () => world.nowMs,
    isNeeded: () => world.isNeeded,
    isSending: () => world.isSending,
    probe: () => world.probes++,
    onSilent: () => world.silences++,
  })
  t.after(() => watch.stop())
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      world.nowMs += 1000
      watch.check()
    }
  }
  return { world, watch, pass }
}

test('asks after 3 s of silence and gives the leg up 5 s later', (t) => {
  const { world, pass } = makeWatch(t)
  pass(2)
  assert.equal(world.probes, 0)
  pass(1)
  assert.equal(world.probes, 1)
  pass(4)
  assert.equal(world.silences, 0)
  pass(1)
  assert.deepEqual([world.probes, world.silences], [1, 1])
})

test('finds a leg that falls silent under load within 10 s, whenever between two looks that is (SPEC §8.1)', (t) => {
  for (let phaseMs = 0; phaseMs < 1000; phaseMs += 50) {
    const { world, watch, pass } = makeWatch(t)
    for (let second = 0; second < 5; second++) {
      pass(1)
      watch.onHeard()
    }
    world.nowMs += phaseMs
    watch.onHeard()
    const silentAtMs = world.nowMs
    world.nowMs -= phaseMs
    while (world.silences === 0 && world.nowMs < silentAtMs + 60_000) pass(1)
    const tookMs = world.nowMs - silentAtMs
    assert.ok(tookMs >= 7000 && tookMs <= 10_000, `${tookMs} ms at ${phaseMs}`)
  }
})

test('asks a quiet leg that answers ever less often, and finds it dead within 45 s all the same', (t) => {
  const { world, watch, pass } = makeWatch(t)
  const asked: number[] = []
  for (let second = 1; second <= 200; second++) {
    const before = world.probes
    pass(1)
    if (world.probes === before) continue
    asked.push(second)
    watch.onHeard()
  }
  assert.deepEqual(asked.slice(0, 5), [3, 9, 21, 45, 77])
  assert.equal(world.silences, 0)
  pass(45)
  assert.equal(world.silences, 1)
})

test('traffic makes it ask early again', (t) => {
  const { world, watch, pass } = makeWatch(t)
  pass(3)
  watch.onHeard()
  pass(1)
  watch.onHeard()
  pass(3)
  assert.equal(world.probes, 2)
})

test('does not count silence that nobody would miss, nor its own lateness, nor cells that still wait here', (t) => {
  const { world, watch, pass } = makeWatch(t)
  world.isNeeded = false
  pass(60)
  assert.equal(world.probes, 0)
  world.isNeeded = true
  pass(3)
  assert.equal(world.probes, 1)
  // This process stood still for a minute.
  world.nowMs += 60_000
  watch.check()
  assert.equal(world.silences, 0)
  pass(3)
  world.isSending = true
  pass(60)
  assert.equal(world.silences, 0)
  world.isSending = false
  pass(5)
  assert.equal(world.silences, 1)
})
