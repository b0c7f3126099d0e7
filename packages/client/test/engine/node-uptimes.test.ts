import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import type { DirectoryEntry } from '@byway/protocol/directory'
import { createNodeUptimes, type NodeUptimes } from '../../src/engine/node-uptimes.ts'
import { entryOf } from './drawn-nodes.ts'
import { NOW_MS } from './signed-nodes.ts'

const HOUR_MS = 3_600_000
const KEY = entryOf(1).key

/** An edition of node 1 with the onion key `number`. */
const edition = (number: number, atMs: number): DirectoryEntry =>
  entryOf(1, {
    onionKey: new Uint8Array(32).fill(number),
    publishedS: atMs / 1000,
    sequence: number,
  })

function watching(): {
  readonly uptimes: NodeUptimes
  readonly hear: (number: number, hours: number) => void
} {
  let nowMs = NOW_MS
  const uptimes = createNodeUptimes({ path: undefined, nowMs: () => nowMs })
  return {
    uptimes,
    hear(number, hours) {
      nowMs = NOW_MS + hours * HOUR_MS
      uptimes.onEdition(edition(number, nowMs))
    },
  }
}

async function file(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-uptimes-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'home', 'uptimes.json')
}

suite('how long nodes were seen up', () => {
  test('editions twice a day show a node that runs', () => {
    const { uptimes, hear } = watching()
    for (let day = 0; day < 3; day++) {
      hear(2 * day + 1, 24 * day)
      hear(2 * day + 2, 24 * day + 12)
    }
    const record = uptimes.get(KEY)
    assert.equal(record?.departures, 0)
    assert.ok(record.upMs > 55 * HOUR_MS && record.upMs <= 60 * HOUR_MS)
  })

  test('an onion key that lived too short shows that the node began anew; one that is published again does not', () => {
    const { uptimes, hear } = watching()
    hear(1, 0)
    hear(2, 12)
    hear(2, 13)
    assert.equal(uptimes.get(KEY)?.departures, 0)
    hear(3, 14)
    const record = uptimes.get(KEY)
    assert.deepEqual([record?.isUp, Math.round(record?.departures ?? 0)], [true, 1])
  })

  test('nothing is concluded from the first edition that is heard: its key may be old', () => {
    const { uptimes, hear } = watching()
    hear(1, 0)
    hear(2, 2)
    assert.equal(uptimes.get(KEY)?.departures, 0)
  })

  test('are private, and the same after a restart', async (t) => {
    const path = await file(t)
    let nowMs = NOW_MS
    const first = createNodeUptimes({ path, nowMs: () => nowMs })
    await first.load()
    first.onEdition(edition(1, nowMs))
    nowMs += 12 * HOUR_MS
    first.onEdition(edition(2, nowMs))
    first.note(entryOf(2).key, { type: 'gone', atMs: nowMs })
    await first.flush()
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    const second = createNodeUptimes({ path, nowMs: () => nowMs })
    await second.load()
    assert.equal(second.get(KEY)?.upMs, 12 * HOUR_MS)
    for (const number of [1, 2]) {
      const { key } = entryOf(number)
      assert.deepEqual(second.get(key), first.get(key))
    }
  })

  for (const [name, content] of [
    ['is empty', ''],
    ['is no text', Buffer.from([0xff, 0xfe, 0x00])],
    ['is of another form', '[]'],
    ['is of another version', '{"version":2,"nodes":[]}'],
    [
      'holds what is no record',
      JSON.stringify({
        version: 1,
        nodes: [1, [], ['x', 1, 1, 1, 1], [KEY, 1, 1, 2, 1], [KEY, -1, 1, 1, 1], [KEY, 1, 1, 1]],
      }),
    ],
  ] as const) {
    test(`begin anew when their file ${name}`, async (t) => {
      const path = await file(t)
      const uptimes = createNodeUptimes({ path, nowMs: () => NOW_MS })
      await uptimes.flush()
      await writeFile(path, content)
      await uptimes.load()
      assert.equal(uptimes.get(KEY), undefined)
    })
  }
})
