import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createGuardTrials, type SuspectGuard, type Trial } from '../../src/engine/guard-trials.ts'
import { entryOf } from './drawn-nodes.ts'

const HOUR_MS = 3_600_000
const [FIRST, SECOND, THIRD] = [entryOf(1).key, entryOf(2).key, entryOf(3).key] as const

function world() {
  const clock = { nowMs: 1000 }
  const told: SuspectGuard[] = []
  const trials = createGuardTrials({
    primary: () => [FIRST, SECOND, THIRD],
    onSuspect: (facts) => void told.push(facts),
    nowMs: () => clock.nowMs,
  })
  const note = (guard: typeof FIRST, trial: Trial, times: number): void => {
    for (let i = 0; i < times; i++) trials.note(guard, trial)
  }
  return { clock, told, trials, note }
}

suite('circuits behind a guard (SPEC §10.3)', () => {
  test('that fail five times of five make it suspect, four times do not, and the user is told once', () => {
    const { trials, told, note } = world()
    note(FIRST, 'failed', 4)
    assert.equal(trials.isSuspect(FIRST), false)
    note(FIRST, 'failed', 5)
    assert.equal(trials.isSuspect(FIRST), true)
    assert.equal(trials.isSuspect(SECOND), false)
    assert.deepEqual(told, [{ tried: 5, failed: 5, othersFailed: 0.1 }])
  })

  test('that fail one time in ten are nothing, however many they are', () => {
    const { trials, note } = world()
    for (let i = 0; i < 50; i++) {
      note(FIRST, 'built', 9)
      note(FIRST, 'failed', 1)
    }
    assert.equal(trials.isSuspect(FIRST), false)
  })

  test('are held against those behind the others: what fails behind all is no fault of one', () => {
    const { trials, told, note } = world()
    note(SECOND, 'built', 60)
    note(SECOND, 'failed', 40)
    told.length = 0
    note(FIRST, 'built', 60)
    note(FIRST, 'failed', 40)
    assert.equal(trials.isSuspect(FIRST), false)
    note(FIRST, 'failed', 400)
    assert.equal(trials.isSuspect(FIRST), true)
    assert.equal(told.length, 1)
  })

  test('that were built and then ended count as failed', () => {
    const { trials, told, note } = world()
    note(FIRST, 'built', 10)
    note(FIRST, 'ended', 5)
    assert.equal(trials.isSuspect(FIRST), true)
    assert.deepEqual(told, [{ tried: 10, failed: 5, othersFailed: 0.1 }])
  })

  test('fade by half in twelve hours: a guard is itself again, and is told of anew when it is not', () => {
    const { clock, trials, told, note } = world()
    note(FIRST, 'failed', 8)
    clock.nowMs += 12 * HOUR_MS - 1
    assert.equal(trials.isSuspect(FIRST), true)
    clock.nowMs += 1
    assert.equal(trials.isSuspect(FIRST), false)
    note(FIRST, 'failed', 1)
    assert.equal(trials.isSuspect(FIRST), true)
    assert.equal(told.length, 2)
  })
})
