/**
 * A thousand nodes of one staker beside two hundred honest ones, for a week: how often they are on a path, and whether anybody enters by one.
 *
 *   client ── guard (honest) ── middle ── exit      draws by weight; a staker has a tenth of all weight at most
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  choosePath,
  createPathNodeSet,
  EMPTY_GUARD_STATE,
  guardEntries,
  primaryGuards,
  refreshGuards,
} from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const HONEST = 200
const SYBILS = 1000
const CLIENTS = 30
const DAY_MS = 86_400_000
const SHARE_CAP = 0.1

suite('a thousand nodes of one staker (THREAT-MODEL T9)', () => {
  test('get a tenth of the hops that are drawn at most, and no entry in a week', () => {
    const staker = new Uint8Array(32).fill(7)
    const all = Array.from({ length: HONEST + SYBILS }, (_, i) =>
      entryOf(i, { stakerId: i < HONEST ? undefined : staker }),
    )
    const byKey = new Map(all.map((entry) => [entry.key, entry]))
    const nodes = createPathNodeSet(
      { get: (key) => byKey.get(key), entries: () => byKey.values() },
      NETWORK,
    )
    const isSybil = ({ entry }: PathNode): boolean => entry.descriptor.stakerId !== undefined
    const seed = 20_261_121
    const random = seededRandom(seed)
    let drawn = 0
    let hostile = 0
    let entries = 0
    for (let client = 0; client < CLIENTS; client++) {
      let guards = EMPTY_GUARD_STATE
      for (let day = 0; day <= 7; day++) {
        const nowMs = NOW_MS + day * DAY_MS
        const weights = createNodeWeights({
          nodes: () => nodes,
          recordOf: () => undefined,
          // Honest stakes are as old as the network; the others came with the first day.
          stakeAgeMs: ({ nodeId }) =>
            (new DataView(nodeId.buffer).getUint32(0) < HONEST ? 60 : day) * DAY_MS,
          nowMs: () => nowMs,
        })
        const weightOf = (key: NodeKey): number => weights.weightOf(key)
        guards = refreshGuards(guards, {
          set: nodes,
          weightOf,
          isNewcomer: (key) => weights.isNewcomer(key),
          random,
          nowMs,
        })
        entries += primaryGuards(guards).filter((key) => byKey.get(key)?.descriptor.stakerId).length
        for (let path = 0; path < 20; path++) {
          const chosen = choosePath({
            set: nodes,
            guards: guardEntries(guards, new Map(), nowMs),
            request: { hops: 3, port: 443 },
            weightOf,
            random,
            nowMs,
          })
          assert.equal(chosen.result, 'path')
          const hops = chosen.hops.slice(1)
          drawn += hops.length
          hostile += hops.filter(isSybil).length
        }
      }
    }
    assert.equal(entries, 0)
    assert.ok(hostile / drawn <= SHARE_CAP + 0.01, `${hostile} of ${drawn} hops, seed ${seed}`)
    assert.ok(hostile > 0, 'they are in the network')
  })
})
