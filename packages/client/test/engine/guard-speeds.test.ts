import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import type { NodeKey } from '@byway/protocol/directory'
import { createGuardSpeeds, type GuardSpeedsDeps } from '../../src/engine/guard-speeds.ts'
import { createGuardLevels, type SlowGuard } from '../../src/engine/guard-levels.ts'
import { entryOf } from './drawn-nodes.ts'
import { NOW_MS } from './signed-nodes.ts'

const [FIRST, SECOND, THIRD] = [entryOf(1).key, entryOf(2).key, entryOf(3).key] as const
const SLOW = entryOf(99).key
const nodeOf = (number: number): NodeKey => entryOf(100 + number).key
const HOUR_MS = 3_600_000

function world(change: Partial<GuardSpeedsDeps> = {}) {
  const clock = { nowMs: NOW_MS }
  const told: SlowGuard[] = []
  const guards: NodeKey[] = [FIRST, SECOND, THIRD]
  const times = { nowMs: () => clock.nowMs, monotonicMs: () => clock.nowMs }
  const speeds = createGuardSpeeds({
    path: undefined,
    ...times,
    levels: createGuardLevels({ path: undefined, ...times }),
    primary: () => [...guards],
    areApart: (a, b) => a !== b,
    onSlow: (facts) => void told.push(facts),
    ...change,
  })
  const observe = (guard: NodeKey, node: NodeKey, kbps: number): void =>
    speeds.observe([guard, node], { bytes: 1_000_000, durationMs: 8_000_000 / kbps })
  /** Gives a guard its level. */
  const begin = (guard: NodeKey, kbps = 2000, nodes = 5): void => {
    for (let node = 0; node < nodes; node++) observe(guard, nodeOf(node), kbps)
  }
  return { clock, told, guards, speeds, observe, begin }
}

suite('the speed of a node (ADR-0048)', () => {
  test('moves by what two guards show beside their other nodes, however fast each of them is', () => {
    const { speeds, observe, begin } = world()
    begin(FIRST, 2000)
    begin(SECOND, 50_000)
    observe(FIRST, SLOW, 200)
    assert.deepEqual([speeds.speedOf(SLOW), speeds.voicesOf(SLOW)], [1, 1])
    observe(SECOND, SLOW, 10_000)
    assert.ok(Math.abs(speeds.speedOf(SLOW) - 0.2) < 1e-9)
    assert.equal(speeds.voicesOf(SLOW), 2)
    assert.equal(speeds.speedOf(nodeOf(0)), 1)
    assert.equal(speeds.speedOf(nodeOf(77)), 1)
  })

  test('is that of all hops behind the guard, and the guard says nothing of itself', () => {
    const { speeds, begin } = world()
    for (const guard of [FIRST, SECOND]) {
      begin(guard)
      speeds.observe([guard, SLOW, nodeOf(9)], { bytes: 1_000_000, durationMs: 40_000 })
    }
    assert.ok(speeds.speedOf(SLOW) < 0.2)
    assert.ok(speeds.speedOf(nodeOf(9)) < 0.2)
    assert.deepEqual([speeds.voicesOf(FIRST), speeds.voicesOf(SECOND)], [0, 0])
  })

  test('is not moved by two guards of one party', () => {
    const { speeds, observe, begin } = world({ areApart: (a, b) => a === THIRD || b === THIRD })
    for (const guard of [FIRST, SECOND, THIRD]) begin(guard)
    for (const guard of [FIRST, SECOND]) observe(guard, SLOW, 200)
    assert.deepEqual([speeds.speedOf(SLOW), speeds.voicesOf(SLOW)], [1, 1])
    observe(THIRD, SLOW, 200)
    assert.equal(speeds.voicesOf(SLOW), 2)
    assert.ok(speeds.speedOf(SLOW) < 0.2)
  })

  test('is the word of the one guard where a client has no other', () => {
    const { speeds, observe, begin } = world({ primary: () => [FIRST] })
    begin(FIRST)
    observe(FIRST, SLOW, 200)
    assert.ok(Math.abs(speeds.speedOf(SLOW) - 0.1) < 1e-9)
  })

  test('is not that of guards which are no longer the client’s', () => {
    const { clock, guards, speeds, observe, begin } = world()
    for (const guard of [FIRST, SECOND]) {
      begin(guard)
      observe(guard, SLOW, 200)
    }
    assert.ok(speeds.speedOf(SLOW) < 0.2)
    guards.splice(0, 3, FIRST, THIRD)
    clock.nowMs += 1000
    assert.deepEqual([speeds.speedOf(SLOW), speeds.voicesOf(SLOW)], [1, 1])
    guards.splice(0, 2, SECOND, FIRST)
    clock.nowMs += 1000
    assert.ok(speeds.speedOf(SLOW) < 0.2)
  })

  test('waits until a guard has a level, and is no matter of short transfers or of a path of one hop', () => {
    const { speeds, observe, begin } = world()
    for (const guard of [FIRST, SECOND]) begin(guard, 2000, 3)
    for (const guard of [FIRST, SECOND]) observe(guard, SLOW, 200)
    assert.equal(speeds.voicesOf(SLOW), 0)
    assert.equal(speeds.hasLevel(FIRST), false)
    for (const guard of [FIRST, SECOND]) begin(guard)
    assert.equal(speeds.hasLevel(FIRST), true)
    for (const guard of [FIRST, SECOND])
      speeds.observe([guard, SLOW], { bytes: 1000, durationMs: 1000 })
    speeds.observe([SLOW], { bytes: 1_000_000, durationMs: 40_000 })
    assert.equal(speeds.voicesOf(SLOW), 0)
  })
})

suite('a guard through which little comes', () => {
  test('is used last for twelve hours, and told of once in each', () => {
    const { clock, told, speeds, begin } = world()
    begin(FIRST, 100, 20)
    begin(SECOND, 2000, 20)
    assert.deepEqual(told, [{ nodes: 12, part: 0.05 }])
    assert.deepEqual(
      [FIRST, SECOND, THIRD].map((guard) => speeds.isSlow(guard)),
      [true, false, false],
    )
    clock.nowMs += 12 * HOUR_MS
    assert.equal(speeds.isSlow(FIRST), false)
    begin(FIRST, 100, 20)
    begin(SECOND, 2000, 20)
    assert.equal(told.length, 2)
  })

  test('is not judged by what came through one that is used before it', () => {
    const { told, begin } = world()
    begin(SECOND, 100, 20)
    begin(FIRST, 2000, 20)
    assert.deepEqual(told, [])
  })
})

suite('the file of speeds', () => {
  async function fileOf(t: TestContext): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'byway-speeds-'))
    t.after(() => rm(folder, { recursive: true }))
    return join(folder, 'home', 'speeds.json')
  }

  test('is private, and gives the same speeds after a restart', async (t) => {
    const path = await fileOf(t)
    const before = world({ path })
    for (const guard of [FIRST, SECOND]) {
      before.begin(guard)
      before.observe(guard, SLOW, 200)
    }
    await before.speeds.flush()
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    const { speeds } = world({ path })
    assert.equal(speeds.speedOf(SLOW), 1)
    await speeds.load()
    assert.ok(Math.abs(speeds.speedOf(SLOW) - 0.1) < 1e-3)
    assert.equal(speeds.voicesOf(SLOW), 2)
  })

  test('leaves out rows that are no voices', async (t) => {
    const path = await fileOf(t)
    await world({ path }).speeds.flush()
    const good = [1, 1, NOW_MS, 1]
    const nodes = [
      [SLOW, ...good],
      [`${FIRST} ${SLOW} ${SECOND}`, ...good],
      [`${FIRST} x`, ...good],
      [7, ...good],
      [`${FIRST} ${SLOW}`, 0, 1, NOW_MS, 1],
      [`${SECOND} ${SLOW}`, 1, 1],
      [`${THIRD} ${SLOW}`, ...good],
    ]
    await writeFile(path, JSON.stringify({ version: 1, nodes }))
    const { speeds } = world({ path })
    await speeds.load()
    assert.equal(speeds.voicesOf(SLOW), 1)
  })

  test('holds 8192 rows at most, the newest', async (t) => {
    const path = await fileOf(t)
    const { speeds, observe, begin } = world({ path })
    begin(FIRST)
    for (let node = 0; node < 8200; node++) observe(FIRST, nodeOf(node), 2000)
    await speeds.flush()
    const { nodes } = JSON.parse(await readFile(path, 'utf8')) as { nodes: unknown[][] }
    assert.equal(nodes.length, 8192)
    assert.equal(nodes.at(-1)?.[0], `${FIRST} ${nodeOf(8199)}`)
  })
})
