/** A client whose guards have fallen silent (SPEC §10.2): when it says so, and when it builds nothing more. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, suite, test, type TestContext } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { ClientLink } from '../../src/engine/client-link.ts'
import { createClientLink } from '../../src/engine/client-link.ts'
import { createDirectoryKeeper } from '../../src/engine/directory-keeper.ts'
import { createSetAge } from '../../src/engine/set-age.ts'
import { createFakeLink } from './fake-link.ts'
import { settle } from './hand-timers.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const NEVER = new AbortController().signal
const HOUR_MS = 3_600_000

function world(t: TestContext, cachePath: string, nowMs = NOW_MS) {
  const clock = { nowMs }
  const control = { isDown: false, fetches: 0, told: [] as number[] }
  const link: ClientLink = {
    ...createClientLink(createFakeLink(), new Uint8Array(32)),
    fetchDirectory(_sinceS, onPart) {
      control.fetches++
      onPart([signedNode(1, 40 * 3600, undefined, { publishedS: (NOW_MS - 5 * HOUR_MS) / 1000 })])
      return Promise.resolve(clock.nowMs / 1000)
    },
  }
  const keeper = createDirectoryKeeper({
    provider: nodeCrypto,
    network: NETWORK,
    cachePath,
    linkToAsk: () =>
      control.isDown ? Promise.reject(new Error('no guard')) : Promise.resolve(link),
    nowMs: () => clock.nowMs,
    onOld: (ageMs) => void control.told.push(ageMs),
    onFetched() {},
  })
  t.after(() => keeper.stop())
  return { keeper, clock, control }
}

async function emptyCache(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-age-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'directory.bin')
}

suite('the age of a directory', () => {
  test('is refused after a day without an answer, and good with the next one', async (t) => {
    const { keeper, clock, control } = world(t, await emptyCache(t))
    await keeper.start(NEVER)
    control.isDown = true
    clock.nowMs += 24 * HOUR_MS
    assert.equal(await keeper.refreshIfOld(NEVER), false)
    assert.ok(keeper.isComplete)
    keeper.requireComplete()
    clock.nowMs += 1
    assert.ok(!keeper.isComplete)
    assert.throws(() => keeper.requireComplete(), {
      code: 'DIRECTORY_OLD',
      context: { ageS: 24 * 3600 },
    })
    control.isDown = false
    assert.equal(await keeper.refreshIfOld(NEVER), true)
    keeper.requireComplete()
    assert.deepEqual(keeper.facts, { nodes: 1, directoryAgeS: 0 })
  })

  test('is told to the user by the refresh that finds no guard', async (t) => {
    mock.timers.enable({ apis: ['setInterval'] })
    t.after(() => mock.timers.reset())
    const { keeper, clock, control } = world(t, await emptyCache(t))
    await keeper.start(NEVER)
    control.isDown = true
    for (const hours of [3, 4, 5]) {
      clock.nowMs = NOW_MS + hours * HOUR_MS
      mock.timers.tick(600_000)
      await settle()
    }
    assert.deepEqual(control.told, [4 * HOUR_MS])
  })

  test('goes on over a restart, which asks at once for what is new', async (t) => {
    const cachePath = await emptyCache(t)
    await world(t, cachePath).keeper.start(NEVER)
    const later = world(t, cachePath, NOW_MS + 25 * HOUR_MS)
    later.control.isDown = true
    await later.keeper.start(NEVER)
    assert.equal(later.keeper.facts.directoryAgeS, 25 * 3600)
    assert.throws(() => later.keeper.requireComplete(), { code: 'DIRECTORY_OLD' })

    const online = world(t, cachePath, NOW_MS + HOUR_MS)
    await online.keeper.start(NEVER)
    await settle()
    assert.equal(online.control.fetches, 1)
  })

  test('is unknown where the clock was put back, and that is too old', async (t) => {
    const cachePath = await emptyCache(t)
    await world(t, cachePath).keeper.start(NEVER)
    const { keeper, control } = world(t, cachePath, NOW_MS - HOUR_MS - 1)
    control.isDown = true
    await keeper.start(NEVER)
    assert.throws(() => keeper.requireComplete(), {
      code: 'DIRECTORY_OLD',
      context: { ageS: -1 },
    })
    const { keeper: corrected } = world(t, cachePath, NOW_MS - HOUR_MS)
    await corrected.start(NEVER)
    corrected.requireComplete()
  })

  test('a stored set of another form is fetched anew', async (t) => {
    const cachePath = await emptyCache(t)
    await world(t, cachePath).keeper.start(NEVER)
    const stored = await readFile(cachePath)
    await writeFile(cachePath, stored.subarray(16))
    const { keeper, control } = world(t, cachePath)
    await keeper.start(NEVER)
    assert.equal(control.fetches, 1)
    assert.deepEqual(await readFile(cachePath), stored)
  })

  test('is told once after three hours, and again after the next answer', () => {
    const told: number[] = []
    const age = createSetAge((ageMs) => told.push(ageMs))
    age.onFetched(NOW_MS)
    age.look(NOW_MS + 3 * HOUR_MS)
    assert.deepEqual(told, [])
    age.look(NOW_MS + 3 * HOUR_MS + 1)
    age.look(NOW_MS + 5 * HOUR_MS)
    assert.deepEqual(told, [3 * HOUR_MS + 1])
    age.onFetched(NOW_MS + 6 * HOUR_MS)
    age.look(NOW_MS + 10 * HOUR_MS)
    assert.deepEqual(told, [3 * HOUR_MS + 1, 4 * HOUR_MS])
  })
})
