import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import type { NodeKey } from '@byway/protocol/directory'
import { createGuardSpeeds, type GuardSpeedsDeps } from '../../src/engine/guard-speeds.ts'
import { createGuardDelays } from '../../src/engine/guard-delays.ts'
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
    delays: createGuardDelays({ path: undefined, ...times }),
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
    assert.deepEqual([speeds.agreedOf(SLOW).speed, speeds.agreedOf(SLOW).speedVoices], [1, 1])
    observe(SECOND, SLOW, 10_000)
    assert.ok(Math.abs(speeds.agreedOf(SLOW).speed - 0.2) < 1e-9)
    assert.equal(speeds.agreedOf(SLOW).speedVoices, 2)
    assert.equal(speeds.agreedOf(nodeOf(0)).speed, 1)
    assert.equal(speeds.agreedOf(nodeOf(77)).speed, 1)
  })

  test('is that of all hops behind the guard, and the guard says nothing of itself', () => {
    const { speeds, begin } = world()
    for (const guard of [FIRST, SECOND]) {
      begin(guard)
      speeds.observe([guard, SLOW, nodeOf(9)], { bytes: 1_000_000, durationMs: 40_000 })
    }
    assert.ok(speeds.agreedOf(SLOW).speed < 0.2)
    assert.ok(speeds.agreedOf(nodeOf(9)).speed < 0.2)
    assert.deepEqual(
      [speeds.agreedOf(FIRST).speedVoices, speeds.agreedOf(SECOND).speedVoices],
      [0, 0],
    )
  })

  test('is not moved by two guards of one party', () => {
    const { speeds, observe, begin } = world({ areApart: (a, b) => a === THIRD || b === THIRD })
    for (const guard of [FIRST, SECOND, THIRD]) begin(guard)
    for (const guard of [FIRST, SECOND]) observe(guard, SLOW, 200)
    assert.deepEqual([speeds.agreedOf(SLOW).speed, speeds.agreedOf(SLOW).speedVoices], [1, 1])
    observe(THIRD, SLOW, 200)
    assert.equal(speeds.agreedOf(SLOW).speedVoices, 2)
    assert.ok(speeds.agreedOf(SLOW).speed < 0.2)
  })

  test('is the word of the one guard where a client has no other', () => {
    const { speeds, observe, begin } = world({ primary: () => [FIRST] })
    begin(FIRST)
    observe(FIRST, SLOW, 200)
    assert.ok(Math.abs(speeds.agreedOf(SLOW).speed - 0.1) < 1e-9)
  })

  test('is not that of guards which are no longer the client’s', () => {
    const { clock, guards, speeds, observe, begin } = world()
    for (const guard of [FIRST, SECOND]) {
      begin(guard)
      observe(guard, SLOW, 200)
    }
    assert.ok(speeds.agreedOf(SLOW).speed < 0.2)
    guards.splice(0, 3, FIRST, THIRD)
    clock.nowMs += 1000
    assert.deepEqual([speeds.agreedOf(SLOW).speed, speeds.agreedOf(SLOW).speedVoices], [1, 1])
    guards.splice(0, 2, SECOND, FIRST)
    clock.nowMs += 1000
    assert.ok(speeds.agreedOf(SLOW).speed < 0.2)
  })

  test('waits until a guard has a level, and is no matter of short transfers or of a path of one hop', () => {
    const { speeds, observe, begin } = world()
    for (const guard of [FIRST, SECOND]) begin(guard, 2000, 3)
    for (const guard of [FIRST, SECOND]) observe(guard, SLOW, 200)
    assert.equal(speeds.agreedOf(SLOW).speedVoices, 0)
    assert.equal(speeds.hasLevel(FIRST), false)
    for (const guard of [FIRST, SECOND]) begin(guard)
    assert.equal(speeds.hasLevel(FIRST), true)
    for (const guard of [FIRST, SECOND])
      speeds.observe([guard, SLOW], { bytes: 1000, durationMs: 1000 })
    speeds.observe([SLOW], { bytes: 1_000_000, durationMs: 40_000 })
    assert.equal(speeds.agreedOf(SLOW).speedVoices, 0)
  })
})

suite('the latency of a node (ADR-0052)', () => {
  const WAY_MS = 80

  function answering(change: Partial<GuardSpeedsDeps> = {}) {
    const made = world(change)
    const answer = (guard: NodeKey, node: NodeKey, rttMs: number): void =>
      made.speeds.observeRtt([guard, node], rttMs)
    /** Shows what is usual behind a guard. */
    const start = (guard: NodeKey, rttMs = WAY_MS): void => {
      for (let node = 0; node < 12; node++) answer(guard, nodeOf(node), rttMs)
    }
    const latencyOf = (node: NodeKey): readonly number[] => {
      const { latency, latencyVoices } = made.speeds.agreedOf(node)
      return [Number(latency.toFixed(3)), latencyVoices]
    }
    return { ...made, answer, start, latencyOf }
  }

  test('moves by what two guards show beside their other nodes, however far each of them is', () => {
    const { answer, start, latencyOf, speeds } = answering()
    start(FIRST)
    start(SECOND, 400)
    answer(FIRST, SLOW, WAY_MS + 300)
    assert.deepEqual(latencyOf(SLOW), [1, 1])
    answer(SECOND, SLOW, 460)
    assert.deepEqual(latencyOf(SLOW), [0.66, 2])
    assert.deepEqual(latencyOf(nodeOf(9)), [1, 2])
    assert.deepEqual(latencyOf(nodeOf(77)), [1, 0])
    assert.deepEqual([speeds.agreedOf(SLOW).speed, speeds.agreedOf(SLOW).speedVoices], [1, 0])
  })

  test('is not moved by a guard that holds back, nor by two of one party', () => {
    const { answer, start, latencyOf } = answering({
      areApart: (a, b) => a === THIRD || b === THIRD,
    })
    for (const guard of [FIRST, SECOND, THIRD]) start(guard)
    for (const guard of [FIRST, SECOND]) answer(guard, SLOW, 2000)
    assert.deepEqual(latencyOf(SLOW), [1, 1])
    answer(THIRD, SLOW, WAY_MS)
    assert.deepEqual(latencyOf(SLOW), [1, 2])
    answer(THIRD, SLOW, 2000)
    assert.ok((latencyOf(SLOW)[0] ?? 1) < 0.8)
  })

  test('gives a guard that was measured by round trips alone others beside it', () => {
    const { speeds, start } = answering()
    assert.equal(speeds.hasLevel(FIRST), false)
    start(FIRST)
    assert.equal(speeds.hasLevel(FIRST), true)
  })

  test('is no voice about speed where another guard of the same party has one', () => {
    const { answer, start, observe, begin, speeds } = answering({
      areApart: (a, b) => a === THIRD || b === THIRD,
    })
    start(FIRST)
    answer(FIRST, SLOW, WAY_MS)
    for (const guard of [SECOND, THIRD]) {
      begin(guard)
      observe(guard, SLOW, 200)
    }
    assert.ok(speeds.agreedOf(SLOW).speed < 0.2)
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
    assert.equal(speeds.agreedOf(SLOW).speed, 1)
    await speeds.load()
    assert.ok(Math.abs(speeds.agreedOf(SLOW).speed - 0.1) < 1e-3)
    assert.equal(speeds.agreedOf(SLOW).speedVoices, 2)
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
      [`${FIRST} ${nodeOf(1)}`, ...good, 0.4, 1],
      [`${FIRST} ${nodeOf(1)}`, ...good, 2.1, 1],
      [`${FIRST} ${nodeOf(1)}`, 1, 0, NOW_MS, 1, 1, 0],
      [`${FIRST} ${nodeOf(2)}`, 1, 0, NOW_MS, 1, 0.5, 3],
    ]
    await writeFile(path, JSON.stringify({ version: 1, nodes }))
    const { speeds } = world({ path })
    await speeds.load()
    assert.equal(speeds.agreedOf(SLOW).speedVoices, 1)
    const [bad, late] = [1, 2].map((number) => speeds.agreedOf(nodeOf(number)))
    assert.deepEqual([bad?.speedVoices, bad?.latencyVoices], [0, 0])
    assert.deepEqual([late?.speedVoices, late?.latencyVoices], [0, 1])
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
