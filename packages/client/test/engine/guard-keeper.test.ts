import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { createDescriptorSet, createPathNodeSet } from '@byway/protocol/directory'
import type { PathNodeSet } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createGuardKeeper } from '../../src/engine/guard-keeper.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

async function file(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-guards-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'home', 'guards.json')
}

function relays(count: number): PathNodeSet {
  const set = createDescriptorSet(nodeCrypto)
  for (let i = 0; i < count; i++) set.offer(signedNode(i), NOW_MS)
  return createPathNodeSet(set, NETWORK)
}

function keeperOf(path: string | undefined, seed = 0.5) {
  const weights = { guardWeightOf: () => 1, isNewcomer: () => false }
  return createGuardKeeper({
    path,
    weights,
    random: () => seed,
    nowMs: () => NOW_MS,
    ownNodes: () => new Set(),
  })
}

suite('guards on disk (SPEC §10.3)', () => {
  test('are three, private, and the same after a restart', async (t) => {
    const path = await file(t)
    const first = keeperOf(path)
    await first.load()
    first.refresh(relays(10))
    await first.flush()
    const chosen = first.primary()
    assert.equal(chosen.length, 3)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    const second = keeperOf(path, 0.01)
    await second.load()
    assert.deepEqual(second.primary(), chosen)
    second.refresh(relays(10))
    assert.deepEqual(second.primary(), chosen)
    assert.deepEqual(second.entries(NOW_MS), chosen)
  })

  for (const [name, content] of [
    ['empty', ''],
    ['cut off', '{"version":1,"sample":[{"key":'],
    ['no JSON', 'guards'],
    ['no text', Buffer.from([0xff, 0xfe, 0x00])],
    ['of another version', '{"version":2,"sample":[],"fallbacks":0,"switchedAtMs":null}'],
    ['of another form', '[]'],
  ] as const) {
    test(`that are ${name} are not replaced by new ones in silence`, async (t) => {
      const path = await file(t)
      const keeper = keeperOf(path)
      keeper.refresh(relays(10))
      await keeper.flush()
      await writeFile(path, content)
      await assert.rejects(
        keeperOf(path).load(),
        (error: Error & { code: string; kind: string }) => {
          assert.equal(error.code, 'GUARDS_DAMAGED')
          assert.equal(error.kind, 'local')
          assert.match(error.message, /restore the file, or delete it/)
          return true
        },
      )
      assert.deepEqual(await readFile(path), Buffer.from(content), 'the file stays as it is')
    })
  }

  test('that are not there are chosen', async (t) => {
    const keeper = keeperOf(await file(t))
    await keeper.load()
    assert.deepEqual(keeper.primary(), [])
    keeper.refresh(relays(4))
    await keeper.flush()
    assert.equal(keeper.primary().length, 3)
  })

  test('that cannot be stored are used all the same', async (t) => {
    const path = await file(t)
    await writeFile(join(path, '..', '..', 'home'), 'a file where the folder should be')
    const keeper = keeperOf(path)
    keeper.refresh(relays(4))
    await keeper.flush()
    assert.equal(keeper.primary().length, 3)
  })

  test('of a client without a home are kept in memory only', async () => {
    const keeper = keeperOf(undefined)
    await keeper.load()
    keeper.refresh(relays(4))
    await keeper.flush()
    assert.equal(keeper.primary().length, 3)
  })
})

suite('guards that fail', () => {
  test('are passed over while others answer, and come back when their link opens', () => {
    const keeper = keeperOf(undefined)
    keeper.refresh(relays(10))
    const [first, ...others] = keeper.primary()
    assert.ok(first)
    keeper.onLink(first, false)
    assert.deepEqual(keeper.entries(NOW_MS), others)
    keeper.onLink(first, true)
    assert.deepEqual(keeper.entries(NOW_MS), [first, ...others])
  })
})
