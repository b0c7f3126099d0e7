/** Who may become a guard in a network that is younger than a week (SPEC §10.3). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPathNodeSet } from '@byway/protocol/directory'
import { youngStakes } from '../../src/engine/young-stakes.ts'
import { entryOf } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const MINUTE_MS = 60_000
const FIVE_DAYS_MS = 5 * 24 * 60 * MINUTE_MS

test('relays that started within an hour of each other are of one age: none of them is too young', () => {
  const entries = Array.from({ length: 13 }, (_, number) => entryOf(number))
  const byKey = new Map(entries.map((entry) => [entry.key, entry]))
  const nodes = createPathNodeSet(
    { get: (key) => byKey.get(key), entries: () => byKey.values() },
    NETWORK,
  )
  // The line is that of the seventh owner: the twelve are five minutes apart, the thirteenth came two hours later.
  const ageMs = new Map(
    entries.map(({ key }, at) => [key, FIVE_DAYS_MS - MINUTE_MS * (at < 12 ? 5 * at : 180)]),
  )
  const stakeAgeMs = ({ nodeId }: { readonly nodeId: Uint8Array }): number | undefined =>
    ageMs.get(entries.find(({ descriptor }) => descriptor.nodeId === nodeId)!.key)
  const { newcomers } = youngStakes(nodes.list(NOW_MS), stakeAgeMs)
  assert.deepEqual([...newcomers], [entryOf(12).key])
})
