import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { createGuardDelays } from '../../src/engine/guard-delays.ts'
import { entryOf } from './drawn-nodes.ts'

const [FIRST, SECOND] = [entryOf(1).key, entryOf(2).key] as const
const nodeOf = (number: number) => entryOf(100 + number).key

function world(path?: string) {
  const delays = createGuardDelays({ path, nowMs: () => 0 })
  /** Notes each over a node of its own; gives what was said of the last. */
  const note = (guard: typeof FIRST, rtts: readonly number[]): number | undefined =>
    rtts.map((rttMs, at) => delays.note([guard, nodeOf(at)], rttMs)).at(-1)
  return { delays, note }
}

async function pathOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-delays-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'delays.json')
}

suite('what is usual behind a guard (ADR-0052)', () => {
  test('is the mean of the middle half, from five nodes on', () => {
    const { delays, note } = world()
    assert.equal(note(FIRST, [9000, 100, 110, 120]), undefined)
    assert.equal(delays.has(FIRST), false)
    assert.equal(delays.note([FIRST, nodeOf(4)], 130), 130 - 120)
    assert.equal(delays.has(FIRST), true)
    assert.equal(delays.has(SECOND), false)
  })

  test('lies between two groups of which each is half, and is not moved by a fifth that nobody waits for', () => {
    const { delays, note } = world()
    note(
      FIRST,
      Array.from({ length: 24 }, (_, at) => (at % 2 === 0 ? 100 : 300)),
    )
    // The newest 24 are 11 and 13: the middle twelve 5 and 7.
    const later = delays.note([FIRST, nodeOf(24)], 300)
    assert.equal(later, 300 - (5 * 100 + 7 * 300) / 12)
    const other = world()
    other.note(
      FIRST,
      Array.from({ length: 24 }, (_, at) => (at % 5 === 0 ? 9000 : 100)),
    )
    assert.equal(other.delays.note([FIRST, nodeOf(24)], 100), 0)
  })

  test('is one thing for circuits of two hops and another for those of three, each node once', () => {
    const { delays, note } = world()
    note(FIRST, [100, 100, 100, 100, 100])
    assert.equal(delays.note([FIRST, nodeOf(5), nodeOf(6)], 180), undefined)
    assert.equal(delays.note([FIRST, nodeOf(7), nodeOf(6)], 180), undefined)
    assert.equal(delays.note([FIRST, nodeOf(8), nodeOf(9)], 180), 0)
    assert.equal(delays.note([FIRST, nodeOf(6)], 100), 0)
  })

  test('takes no circuit of one hop, and no time that is none', () => {
    const { delays, note } = world()
    note(FIRST, [100, 100, 100, 100])
    for (const wrong of [0, -1, Number.NaN, 10_001, Number.POSITIVE_INFINITY])
      assert.equal(delays.note([FIRST, nodeOf(4)], wrong), undefined)
    assert.equal(delays.note([FIRST], 100), undefined)
    assert.equal(delays.note([], 100), undefined)
    assert.equal(delays.has(FIRST), false)
  })

  test('goes on after a restart; the file names no node behind a guard', async (t) => {
    const path = await pathOf(t)
    const before = world(path)
    before.note(FIRST, [100, 100, 100.4, 100, 300])
    await before.delays.flush()
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), {
      version: 1,
      nodes: [[`${FIRST} 2`, 100, 100, 100, 100, 300]],
    })
    const { delays } = world(path)
    await delays.load()
    assert.equal(delays.note([FIRST, nodeOf(9)], 150), 150 - 112.5)
  })

  test('begins anew where a row is no guard with a length', async (t) => {
    const path = await pathOf(t)
    const good = [100, 100, 100, 100, 100]
    const names = [FIRST, `${FIRST} 1`, `${FIRST} 4`, `${FIRST} 2 2`, `x 2`, 7]
    const nodes = [...names.map((name) => [name, ...good]), [`${SECOND} 3`, ...good]]
    await writeFile(path, JSON.stringify({ version: 1, nodes }))
    const { delays } = world(path)
    await delays.load()
    assert.deepEqual([delays.has(FIRST), delays.has(SECOND)], [false, true])
  })
})
