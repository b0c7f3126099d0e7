import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { nodeKeyOf, weightOfNode } from '@byway/protocol/directory'
import { createNodeRecords } from '../../src/engine/node-records.ts'
import { NOW_MS } from './signed-nodes.ts'

const keyOf = (number: number) => nodeKeyOf(new Uint8Array(32).fill(number))

async function file(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-records-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'home', 'nodes.json')
}

const recordsOf = (path: string | undefined) => createNodeRecords({ path, nowMs: () => NOW_MS })

suite('what a client has seen of nodes', () => {
  test('a node weighs less the more circuits fail through it, and nothing is known of the rest', () => {
    const records = recordsOf(undefined)
    for (let i = 0; i < 5; i++) {
      records.observe(keyOf(1), { type: 'failure' })
      records.observe(keyOf(2), { type: 'success' })
    }
    const weightOf = (number: number): number => weightOfNode(records.get(keyOf(number)))
    assert.ok(weightOf(1) < weightOf(3))
    assert.ok(weightOf(2) > weightOf(1))
    assert.equal(records.get(keyOf(3)), undefined)
  })

  test('is private, and the same after a restart', async (t) => {
    const path = await file(t)
    const first = recordsOf(path)
    await first.load()
    first.observe(keyOf(1), { type: 'transfer', bytes: 1_000_000, durationMs: 1000 })
    first.observe(keyOf(2), { type: 'failure' })
    await first.flush()
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    const second = recordsOf(path)
    await second.load()
    for (const key of [keyOf(1), keyOf(2)]) assert.deepEqual(second.get(key), first.get(key))
  })

  test('is read from a file that held more numbers of each', async (t) => {
    const path = await file(t)
    await recordsOf(path).flush()
    const nodes = [[keyOf(1), 5000, 0.5, NOW_MS, 1000]]
    await writeFile(path, JSON.stringify({ version: 1, nodes }))
    const records = recordsOf(path)
    await records.load()
    assert.deepEqual(records.get(keyOf(1)), { goodputKbps: 5000, success: 0.5 })
  })

  for (const [name, content] of [
    ['is empty', ''],
    ['is no text', Buffer.from([0xff, 0xfe, 0x00])],
    ['is of another form', '[]'],
    ['is of another version', '{"version":2,"nodes":[]}'],
    ['holds what is no record', '{"version":1,"nodes":[1,[],["x",1,1,1,1],[null]]}'],
    [
      'holds numbers that are none',
      JSON.stringify({
        version: 1,
        nodes: [
          [keyOf(1), 'a', 1],
          [keyOf(1), 5, 2],
          [keyOf(1), -5, 1],
          [keyOf(1), 5],
        ],
      }),
    ],
  ] as const) {
    test(`begins anew when its file ${name}`, async (t) => {
      const path = await file(t)
      await recordsOf(path).flush()
      await writeFile(path, content)
      const records = recordsOf(path)
      await records.load()
      assert.equal(records.get(keyOf(1)), undefined)
    })
  }

  test('forgets the node seen longest ago when there are too many', () => {
    const records = recordsOf(undefined)
    const numbered = (number: number) => {
      const id = new Uint8Array(32)
      new DataView(id.buffer).setUint32(0, number)
      return nodeKeyOf(id)
    }
    for (let i = 0; i < 4096; i++) records.observe(numbered(i), { type: 'success' })
    records.observe(numbered(0), { type: 'success' })
    records.observe(numbered(4096), { type: 'success' })
    assert.deepEqual(
      [0, 1, 2, 4096].map((number) => records.get(numbered(number)) !== undefined),
      [true, false, true, true],
    )
  })
})
