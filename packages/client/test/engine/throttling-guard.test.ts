/** A limit that is known (THREAT-MODEL T7): a guard that slows circuits down which do not end at its friends lowers what this client measures of the other exits. Holds the figure that is told of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choosePath, createPathNodeSet } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import { createNodeRecords } from '../../src/engine/node-records.ts'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const NODES = 100
const HOSTILE = 20
const CIRCUITS = 1000
const EACH_MS = 10_000
const LINE_KBPS = 2000
/** What the guard lets through to exits that are not its friends'. */
const SLOWED_KBPS = 100
const BODY_BYTES = 1_000_000
const SEEDS = [1, 2, 3] as const

/** What part of the first two hundred circuits, and of the last, ends at the guard's friends. */
function play(seed: number, slowedKbps: number): { first: number; last: number } {
  const all = Array.from({ length: NODES }, (_, number) => entryOf(number))
  const byKey = new Map(all.map((entry) => [entry.key, entry]))
  const nodes = createPathNodeSet(
    { get: (key) => byKey.get(key), entries: () => byKey.values() },
    NETWORK,
  )
  let nowMs = NOW_MS
  const records = createNodeRecords({ path: undefined, nowMs: () => nowMs })
  const recordOf = (key: NodeKey) => records.get(key)
  const weights = createNodeWeights({ nodes: () => nodes, recordOf, nowMs: () => nowMs })
  const friends = new Set(all.slice(0, HOSTILE).map(({ key }) => key))
  const guards = all.slice(0, 1).map(({ key }) => key)
  const random = seededRandom(seed)
  const weightOf = (key: NodeKey): number => weights.weightOf(key)
  const theirs: boolean[] = []
  for (let circuit = 0; circuit < CIRCUITS; circuit++, nowMs += EACH_MS) {
    const request = { hops: 2, port: 443 } as const
    const path = choosePath({ set: nodes, guards, request, weightOf, random, nowMs })
    assert.equal(path.result, 'path')
    const isTheirs = path.hops.every(({ key }) => friends.has(key))
    theirs.push(isTheirs)
    const durationMs = (BODY_BYTES * 8) / (isTheirs ? LINE_KBPS : slowedKbps)
    for (const { key } of path.hops) {
      records.observe(key, { type: 'transfer', bytes: BODY_BYTES, durationMs })
      records.observe(key, { type: 'success' })
    }
  }
  const shareOf = (some: readonly boolean[]): number => some.filter(Boolean).length / some.length
  return { first: shareOf(theirs.slice(0, 200)), last: shareOf(theirs.slice(-200)) }
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length

test('a guard that lets a twentieth through to exits that are not its friends has more end there, slowly', (t) => {
  const slowed = SEEDS.map((seed) => play(seed, SLOWED_KBPS))
  const honest = SEEDS.map((seed) => play(seed, LINE_KBPS))
  const percent = (part: number): string => `${Math.round(100 * part)} %`
  const [first, last] = [mean(slowed.map((each) => each.first)), mean(slowed.map((e) => e.last))]
  const fair = mean(honest.map((each) => each.first))
  t.diagnostic(
    `a fifth are its friends: ${percent(fair)} where it slows nothing; ${percent(first)} of the first 200 circuits, ${percent(last)} of the last 200 of ${CIRCUITS}, seeds ${SEEDS.join(', ')}`,
  )
  assert.ok(fair < 0.26)
  assert.ok(first > fair && first < 0.35, percent(first))
  assert.ok(last > 0.5 && last < 0.7, percent(last))
})
