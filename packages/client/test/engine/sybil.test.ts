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
  createStakeTable,
  EMPTY_GUARD_STATE,
  guardEntries,
  ownersIn,
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
    const staker = new Uint8Array(20).fill(7)
    const providerOf = (i: number): Uint8Array => entryOf(i).descriptor.nodeId.slice(0, 20)
    const all = Array.from({ length: HONEST + SYBILS }, (_, i) =>
      entryOf(i, { provider: providerOf(i) }),
    )
    // None of them says whose it is: the registry does.
    const table = createStakeTable(1n)
    for (const [i, { descriptor }] of all.entries()) {
      const owner = i < HONEST ? providerOf(i) : staker
      const { nodeId } = descriptor
      table.apply(providerOf(i), { type: 'registered', nodeId, owner, stake: 1n }, 1)
    }
    const byKey = new Map(all.map((entry) => [entry.key, entry]))
    const sybils = new Set(all.slice(HONEST).map(({ key }) => key))
    const nodes = createPathNodeSet(
      { get: (key) => byKey.get(key), entries: () => byKey.values() },
      NETWORK,
      undefined,
      { ownerOf: ownersIn({ view: table }) },
    )
    const isSybil = ({ key }: Pick<PathNode, 'key'>): boolean => sybils.has(key)
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
        entries += primaryGuards(guards).filter((key) => isSybil({ key })).length
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
