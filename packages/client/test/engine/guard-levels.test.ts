import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { createGuardLevels } from '../../src/engine/guard-levels.ts'
import { entryOf } from './drawn-nodes.ts'

const HOUR_MS = 3_600_000
const [FIRST, SECOND] = [entryOf(1).key, entryOf(2).key] as const
const nodeOf = (number: number) => entryOf(100 + number).key

function world(path?: string) {
  const clock = { nowMs: 1000 }
  const nowMs = (): number => clock.nowMs
  const levels = createGuardLevels({ path, nowMs, monotonicMs: nowMs })
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

  test('is of the newest 24 nodes', () => {
    const { levels, note } = world()
    note(FIRST, [...times(40, 100), ...times(12, 900)])
    assert.equal(levels.of(FIRST), 100)
    levels.note(FIRST, nodeOf(52), 900)
    assert.equal(levels.of(FIRST), 900)
  })

  test('goes on after a restart, and is soon another where the line is; the file names no node', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'byway-levels-'))
    t.after(() => rm(folder, { recursive: true }))
    const path = join(folder, 'home', 'levels.json')
    const before = world(path)
    before.note(FIRST, times(24, 100))
    await before.levels.flush()
    const text = await readFile(path, 'utf8')
    assert.deepEqual(JSON.parse(text), { version: 1, nodes: [[FIRST, ...times(24, 100)]] })
    const { levels, note } = world(path)
    await levels.load()
    assert.equal(levels.of(FIRST), 100)
    note(FIRST, times(13, 900))
    assert.equal(levels.of(FIRST), 900)
  })

  test('begins anew where a file holds too many', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'byway-levels-'))
    t.after(() => rm(folder, { recursive: true }))
    const path = join(folder, 'levels.json')
    const nodes = [
      [FIRST, ...times(25, 100)],
      [SECOND, ...times(24, 100)],
    ]
    await writeFile(path, JSON.stringify({ version: 1, nodes }))
    const { levels } = world(path)
    await levels.load()
    assert.deepEqual([levels.of(FIRST), levels.of(SECOND)], [undefined, 100])
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

  test('is slow by what came in the last twelve hours', () => {
    const { clock, levels, note } = world()
    note(FIRST, times(5, 100))
    note(SECOND, times(12, 500))
    clock.nowMs += 12 * HOUR_MS - 1
    assert.ok(levels.slowness(FIRST, SECOND))
    clock.nowMs += 1
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
