import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NO_LOG } from '@byway/protocol/base'
import type { NodeKey, OriginSource, PathNode } from '@byway/protocol/directory'
import { toPathNode } from '@byway/protocol/directory'
import { createNodeMemory, type NodeMemory } from '../../src/engine/node-memory.ts'
import { entryOf } from './drawn-nodes.ts'
import { NOW_MS } from './signed-nodes.ts'

const HOUR_MS = 3_600_000
const NOWHERE: OriginSource = {
  lookup: () => ({ country: '', countryBy: undefined, asn: 0, asnBy: undefined }),
}

/** A client that hears an edition with another address every six hours. */
function memoryAt(home: string) {
  const nodes = new Map<NodeKey, PathNode>()
  let nowMs = NOW_MS
  const memory = createNodeMemory({
    home,
    nodeOf: (key) => nodes.get(key),
    primary: () => [],
    log: NO_LOG,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
  })
  const hear = (count: number): PathNode => {
    nowMs = NOW_MS + count * 6 * HOUR_MS
    const bytes = Uint8Array.of(84, 1, count, 1)
    const addresses = [{ family: 4 as const, bytes, port: 443 }]
    const node = toPathNode(entryOf(1, { publishedS: nowMs / 1000, addresses }), NOWHERE)
    nodes.set(node.key, node)
    memory.onEdition(node.entry, undefined)
    return node
  }
  return { memory, hear }
}

const reasonsOf = (memory: NodeMemory, node: PathNode) =>
  memory
    .linesOf([node])(node.key)
    .addresses.map(({ reason }) => reason)

test('editions that a client hears count for how long a node is up and for its line, over a restart too', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-memory-'))
  t.after(() => rm(home, { recursive: true }))
  const first = memoryAt(home)
  for (let count = 0; count < 6; count++) {
    const node = first.hear(count)
    assert.deepEqual(reasonsOf(first.memory, node), [])
  }
  const upMs = first.memory.uptimes.get(entryOf(1).key)?.upMs ?? 0
  assert.ok(upMs >= 24 * HOUR_MS, String(upMs))
  await first.memory.flush()

  const second = memoryAt(home)
  await second.memory.load()
  assert.deepEqual(reasonsOf(second.memory, second.hear(6)), ['moves-often'])
})

test('how soon nodes answer behind each guard counts over a restart too', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-memory-'))
  t.after(() => rm(home, { recursive: true }))
  const all = Array.from({ length: 10 }, (_, number) => toPathNode(entryOf(number), NOWHERE))
  const [first, second, late, ...others] = all
  assert.ok(first && second && late)
  const byKey = new Map(all.map((node) => [node.key, node]))
  const made = () =>
    createNodeMemory({
      home,
      nodeOf: (key) => byKey.get(key),
      primary: () => [first.key, second.key],
      log: NO_LOG,
      nowMs: () => NOW_MS,
      monotonicMs: () => 0,
    })
  const before = made()
  for (const guard of [first, second]) {
    for (const node of others) before.onRtt([guard, node], 100)
    before.onRtt([guard, late], 300)
  }
  const { latency, latencyVoices } = before.speeds.agreedOf(late.key)
  assert.deepEqual([latency, latencyVoices], [0.5, 2])
  await before.flush()
  const after = made()
  await after.load()
  assert.equal(after.speeds.agreedOf(late.key).latency, 0.5)
  assert.equal(after.speeds.hasLevel(first.key), true)
})
