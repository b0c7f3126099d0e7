import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createGuardLevels } from '../../src/engine/guard-levels.ts'
import { entryOf } from './drawn-nodes.ts'

const HOUR_MS = 3_600_000
const [FIRST, SECOND] = [entryOf(1).key, entryOf(2).key] as const
const nodeOf = (number: number) => entryOf(100 + number).key

function world() {
  const clock = { nowMs: 1000 }
  const levels = createGuardLevels(() => clock.nowMs)
  const note = (guard: typeof FIRST, kbps: readonly number[]): void =>
    kbps.forEach((each, at) => levels.note(guard, nodeOf(at), each))
  return { clock, levels, note }
}

const times = (count: number, kbps: number): readonly number[] =>
  Array.from({ length: count }, () => kbps)

suite('what a guard gives as a whole (ADR-0048)', () => {
  test('is the middle one of what came of five nodes or more, one voice each', () => {
    const { levels, note } = world()
    note(FIRST, [100, 200, 300, 400])
    for (let i = 0; i < 10; i++) levels.note(FIRST, nodeOf(0), 100)
    assert.equal(levels.of(FIRST), undefined)
    levels.note(FIRST, nodeOf(4), 9000)
    assert.equal(levels.of(FIRST), 300)
    levels.note(FIRST, nodeOf(0), 8000)
    assert.equal(levels.of(FIRST), 400)
  })

  test('is of the newest 64 nodes, and of the last twelve hours', () => {
    const { clock, levels, note } = world()
    note(FIRST, [...times(64, 100), ...times(40, 900)])
    assert.equal(levels.of(FIRST), 900)
    clock.nowMs += 12 * HOUR_MS
    assert.equal(levels.of(FIRST), undefined)
  })

  test('is of the six guards used last', () => {
    const { levels, note } = world()
    for (let guard = 1; guard <= 7; guard++) note(entryOf(guard).key, times(5, 100))
    assert.equal(levels.of(FIRST), undefined)
    assert.equal(levels.of(SECOND), 100)
  })
})

suite('a guard that gives less than another', () => {
  test('by more than three quarters, over twelve nodes, is slow', () => {
    const { levels, note } = world()
    note(FIRST, times(5, 100))
    note(SECOND, times(11, 500))
    assert.equal(levels.slowness(FIRST, SECOND), undefined)
    levels.note(SECOND, nodeOf(11), 500)
    assert.deepEqual(levels.slowness(FIRST, SECOND), { nodes: 12, part: 0.2 })
    assert.equal(levels.slowness(SECOND, FIRST), undefined)
  })

  test('by three quarters is not, nor is one beside which a fifth of the nodes are very fast', () => {
    const { levels, note } = world()
    note(FIRST, times(5, 100))
    note(SECOND, [...times(13, 400), ...times(7, 100_000)])
    assert.equal(levels.slowness(FIRST, SECOND), undefined)
  })

  test('is not slow because the line of the client was another at the time', () => {
    const { clock, levels, note } = world()
    note(FIRST, times(20, 4000))
    note(SECOND, times(20, 4000))
    clock.nowMs += HOUR_MS
    note(FIRST, times(20, 200))
    assert.equal(levels.of(FIRST), 200)
    assert.equal(levels.slowness(FIRST, SECOND), undefined)
  })
})
