import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { ClientLink } from '../../src/engine/client-link.ts'
import { createStakeTable, type StakeTable } from '@byway/protocol/directory'
import { decodeDescriptor, LINK_MESSAGE } from '@byway/protocol/wire'
import { packDirectory } from '@byway/net'
import { createClientLink } from '../../src/engine/client-link.ts'
import { createDirectoryKeeper, type ClientStakes } from '../../src/engine/directory-keeper.ts'
import { createFakeLink } from './fake-link.ts'
import { settle } from './hand-timers.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const NEVER = new AbortController().signal
const HOUR_MS = 3_600_000

/** A keeper whose guard serves these descriptors; `holds` makes it wait for `serve`. */
function world(
  t: TestContext,
  options: { cachePath?: string; served?: readonly Uint8Array[]; stakes?: ClientStakes } = {},
) {
  const clock = { nowMs: NOW_MS }
  const counts = { fetches: 0, fetched: 0 }
  const control = { isDown: false, holds: false, served: options.served ?? [], signal: NEVER }
  const gates: (() => void)[] = []
  const asked: number[] = []
  const link: ClientLink = {
    ...createClientLink(createFakeLink(), new Uint8Array(32)),
    async fetchDirectory(sinceS, onPart, signal) {
      counts.fetches++
      asked.push(sinceS)
      control.signal = signal
      if (control.holds)
        await new Promise<void>((resolve, reject) => {
          gates.push(resolve)
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        })
      for (const bytes of control.served) onPart([bytes])
      return clock.nowMs / 1000
    },
  }
  const keeper = createDirectoryKeeper({
    provider: nodeCrypto,
    network: NETWORK,
    cachePath: options.cachePath,
    stakes: options.stakes,
    linkToAsk: () =>
      control.isDown ? Promise.reject(new Error('no guard')) : Promise.resolve(link),
    nowMs: () => clock.nowMs,
    onFetched: () => void counts.fetched++,
  })
  t.after(() => keeper.stop())
  return { keeper, clock, counts, control, gates, asked }
}

async function cache(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-directory-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'directory.bin')
}

/** A cache as a client before has left it. */
async function filledCache(t: TestContext, served: readonly Uint8Array[]): Promise<string> {
  const cachePath = await cache(t)
  await world(t, { cachePath, served }).keeper.start(NEVER)
  return cachePath
}

suite('fetching the directory', () => {
  test('takes what is signed and passes over garbage', async (t) => {
    const forged = signedNode(2)
    forged[60] = (forged[60] ?? 0) ^ 1
    const served = [signedNode(1), new Uint8Array(0), new Uint8Array(900).fill(7), forged]
    const { keeper, counts } = world(t, { served })
    await keeper.start(NEVER)
    assert.equal(keeper.set.size, 1)
    assert.equal(keeper.nodes.list(NOW_MS).length, 1)
    assert.equal(counts.fetched, 1)
  })

  test('leaves a guard that forges, and goes on with the next', async (t) => {
    const spoiled = signedNode(2)
    spoiled[spoiled.length - 1] = (spoiled[spoiled.length - 1] ?? 0) ^ 1
    const guards = [[spoiled, signedNode(3)], [signedNode(1)]].map((served) => {
      const link = createFakeLink()
      const [block = new Uint8Array(0)] = packDirectory(served, 16_000)
      link.send = ({ type }) => {
        assert.equal(type, LINK_MESSAGE.DIRECTORY_GET)
        const part = {
          type: LINK_MESSAGE.DIRECTORY_PART,
          requestId: 1,
          last: true,
          asOfS: 1,
          block,
        }
        setImmediate(() => link.handler.onMessage(part, 0))
      }
      return createClientLink(link, new Uint8Array(32))
    })
    const keeper = createDirectoryKeeper({
      provider: nodeCrypto,
      network: NETWORK,
      cachePath: undefined,
      linkToAsk(asked) {
        const next = guards[asked.length] ?? guards[0]
        return next ? Promise.resolve(next) : Promise.reject(new Error('no guard'))
      },
      nowMs: () => NOW_MS,
      onFetched() {},
    })
    t.after(() => keeper.stop())
    await keeper.start(NEVER)
    assert.deepEqual(
      guards.map(({ isClosed }) => isClosed),
      [true, false],
    )
    assert.equal(keeper.set.size, 1)
  })

  test('fails with DIRECTORY_INCOMPLETE when a guard serves nothing that counts', async (t) => {
    const { keeper } = world(t, { served: [new Uint8Array(100)] })
    await assert.rejects(keeper.start(NEVER), { code: 'DIRECTORY_INCOMPLETE' })
  })

  test('fails as the guard does when there is nothing to go on with', async (t) => {
    const { keeper, control } = world(t)
    control.isDown = true
    await assert.rejects(keeper.start(NEVER), { message: 'no guard' })
  })

  test('is shared by all who ask meanwhile, and goes on when the first gives up', async (t) => {
    const { keeper, counts, control, gates } = world(t, { served: [signedNode(1)] })
    control.holds = true
    const first = new AbortController()
    const left = keeper.refreshIfOld(first.signal)
    const stays = keeper.refreshIfOld(NEVER)
    await settle()
    first.abort(new Error('gone'))
    await assert.rejects(left, { message: 'gone' })
    gates[0]?.()
    assert.equal(await stays, true)
    assert.equal(counts.fetches, 1)
    assert.equal(keeper.set.size, 1)
  })

  test('is not repeated within five seconds: a guard would not answer', async (t) => {
    const { keeper, clock, counts } = world(t, { served: [signedNode(1)] })
    assert.equal(await keeper.refreshIfOld(NEVER), true)
    clock.nowMs += 4999
    assert.equal(await keeper.refreshIfOld(NEVER), false)
    clock.nowMs += 1
    assert.equal(await keeper.refreshIfOld(NEVER), true)
    clock.nowMs -= HOUR_MS
    assert.equal(await keeper.refreshIfOld(NEVER), true, 'the clock was set back')
    assert.equal(counts.fetches, 3)
  })

  test('that fails leaves what was known, and says so', async (t) => {
    const { keeper, control, clock } = world(t, { served: [signedNode(1)] })
    await keeper.start(NEVER)
    control.isDown = true
    clock.nowMs += HOUR_MS
    assert.equal(await keeper.refreshIfOld(NEVER), false)
    assert.equal(keeper.set.size, 1)
  })

  test('forgets who has expired', async (t) => {
    const { keeper, clock, control } = world(t, { served: [signedNode(1, 3600), signedNode(2)] })
    await keeper.start(NEVER)
    control.served = []
    clock.nowMs += 2 * HOUR_MS
    await keeper.refreshIfOld(NEVER)
    assert.equal(keeper.set.size, 1)
  })

  test('is called off by stop', async (t) => {
    const { keeper, control } = world(t)
    control.holds = true
    const fetching = keeper.start(NEVER)
    await settle()
    keeper.stop()
    await assert.rejects(fetching, { code: 'CLIENT_CLOSED' })
    assert.equal(control.signal.aborted, true)
  })
})

suite('the stored directory', () => {
  const served = [signedNode(1), signedNode(2), signedNode(3, 3600)]

  test('serves the next start without a fetch', async (t) => {
    const { keeper, counts } = world(t, { cachePath: await filledCache(t, served) })
    await keeper.start(NEVER)
    assert.equal(keeper.set.size, 3)
    assert.equal(counts.fetches, 0)
  })

  test('is fetched again when a part of it has expired: guards that are missing would pass for gone', async (t) => {
    const { keeper, counts, clock, control } = world(t, { cachePath: await filledCache(t, served) })
    clock.nowMs += 2 * HOUR_MS
    control.served = [signedNode(4)]
    await keeper.start(NEVER)
    assert.equal(counts.fetches, 1)
    assert.equal(keeper.set.size, 3)
  })

  for (const [name, damage] of [
    ['cut off', (path: string) => truncate(path, 500)],
    ['empty', (path: string) => truncate(path, 0)],
    ['overwritten', (path: string) => writeFile(path, Buffer.alloc(2000, 0xff))],
    ['full of zeros', (path: string) => writeFile(path, Buffer.alloc(2000))],
    [
      'flipped',
      async (path: string) => {
        const bytes = await readFile(path)
        bytes[100] = (bytes[100] ?? 0) ^ 1
        await writeFile(path, bytes)
      },
    ],
  ] as const) {
    test(`is fetched again when the file is ${name}`, async (t) => {
      const cachePath = await filledCache(t, served)
      await damage(cachePath)
      const { keeper, counts } = world(t, { cachePath, served })
      await keeper.start(NEVER)
      assert.equal(counts.fetches, 1)
      assert.equal(keeper.set.size, 3)
      const next = world(t, { cachePath })
      await next.keeper.start(NEVER)
      assert.equal(next.counts.fetches, 0, 'the file is whole again')
    })
  }

  test('does not fail a fetch when it cannot be written', async (t) => {
    const cachePath = await cache(t)
    await mkdir(`${cachePath}.new`)
    const { keeper, counts } = world(t, { cachePath, served })
    await keeper.start(NEVER)
    assert.equal(keeper.set.size, 3)
    assert.equal(counts.fetched, 1)
  })
})

/** Ten nodes with one stake each, and who follows them. @param stakeOf - by place, from 0 */
function stakedNodes(stakeOf: (at: number) => bigint = () => 10n) {
  const table: StakeTable = createStakeTable(1n)
  const listeners = new Set<() => void>()
  const descriptors = Array.from({ length: 10 }, (_, i) => signedNode(i + 1, 47 * 3600, i + 1))
  for (const [at, bytes] of descriptors.entries()) {
    const { nodeId, provider = new Uint8Array(20) } = decodeDescriptor(bytes).descriptor
    table.apply(provider, { type: 'registered', nodeId, owner: provider, stake: stakeOf(at) }, 1)
  }
  const stakes = {
    view: table,
    ageMs: 0,
    onChange(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return { stakes, table, descriptors, tell: () => listeners.forEach((each) => each()) }
}

suite('the directory beside the registry (SPEC §10.2)', () => {
  test('is enough with 60 % of the active stake, and not with less', async (t) => {
    const { stakes, descriptors } = stakedNodes()
    const { keeper, control, clock } = world(t, { stakes, served: descriptors.slice(0, 5) })
    await keeper.start(NEVER)
    assert.throws(() => keeper.requireComplete(), {
      code: 'DIRECTORY_INCOMPLETE',
      context: { descriptors: 5, stakePercent: 50 },
    })
    control.served = descriptors.slice(0, 6)
    clock.nowMs += HOUR_MS
    await keeper.refreshIfOld(NEVER)
    keeper.requireComplete()
  })

  test('is not enough with one part in a thousand less', async (t) => {
    const { stakes, descriptors } = stakedNodes((at) => (at === 0 ? 99n : at === 9 ? 101n : 100n))
    const { keeper, control, clock } = world(t, { stakes, served: descriptors.slice(0, 6) })
    await keeper.start(NEVER)
    assert.throws(() => keeper.requireComplete(), {
      code: 'DIRECTORY_INCOMPLETE',
      context: { descriptors: 6, stakePercent: 59 },
    })
    control.served = descriptors.slice(1, 7)
    clock.nowMs += HOUR_MS
    await keeper.refreshIfOld(NEVER)
    keeper.requireComplete()
  })

  test('counts nobody who has expired: no circuit leads there, whoever keeps the newer editions back', async (t) => {
    const { stakes, descriptors } = stakedNodes()
    const { keeper, control, clock } = world(t, { stakes, served: descriptors })
    await keeper.start(NEVER)
    keeper.requireComplete()
    control.served = []
    const lastMs = Math.max(
      ...descriptors.map((each) => decodeDescriptor(each).descriptor.expiresS * 1000),
    )
    clock.nowMs = lastMs - 1
    await keeper.refreshIfOld(NEVER)
    assert.equal(keeper.isComplete, true)
    clock.nowMs = lastMs
    assert.throws(() => keeper.requireComplete(), {
      code: 'DIRECTORY_INCOMPLETE',
      context: { descriptors: 10, stakePercent: 0 },
    })
  })

  test('counts no node without a stake, and forgets one whose stake goes', async (t) => {
    const { stakes, descriptors, table, tell } = stakedNodes()
    const served = [...descriptors, signedNode(50), signedNode(51)]
    const { keeper } = world(t, { stakes, served })
    await keeper.start(NEVER)
    assert.equal(keeper.set.size, 10)
    table.apply(new Uint8Array(20).fill(1), { type: 'unbonding' }, 2)
    tell()
    assert.equal(keeper.set.size, 9)
    keeper.requireComplete()
  })

  test('is not believed when the chain was not seen for a day', async (t) => {
    const { stakes, descriptors } = stakedNodes()
    const { keeper } = world(t, { stakes, served: descriptors })
    await keeper.start(NEVER)
    keeper.requireComplete()
    stakes.ageMs = 24 * HOUR_MS + 1
    assert.throws(() => keeper.requireComplete(), {
      context: { descriptors: 10, stakePercent: 0 },
    })
  })
})

suite('asking for what is new (SPEC §10.2)', () => {
  test('takes the whole set first, then what the guard took in since, and the whole once a day', async (t) => {
    const { keeper, clock, asked } = world(t, { served: [signedNode(1)] })
    const nowS = NOW_MS / 1000
    await keeper.start(NEVER)
    clock.nowMs += 600_000
    await keeper.refreshIfOld(NEVER)
    clock.nowMs += 600_000
    await keeper.refreshIfOld(NEVER)
    clock.nowMs += 24 * HOUR_MS
    await keeper.refreshIfOld(NEVER)
    assert.deepEqual(asked, [0, nowS - 60, nowS + 540, 0])
  })

  test('takes the whole set again while it is too small', async (t) => {
    const { stakes, descriptors } = stakedNodes()
    const { keeper, clock, asked } = world(t, { stakes, served: descriptors.slice(0, 3) })
    await keeper.start(NEVER)
    clock.nowMs += 10_000
    await keeper.refreshIfOld(NEVER)
    assert.deepEqual(asked, [0, 0])
  })
})
