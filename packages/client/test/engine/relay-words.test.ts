/** What relays say of exits without an address: two that have nothing in common must say the same. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createPathNodeSet, nodeKeyOf } from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { createRelayWords } from '../../src/engine/relay-words.ts'
import { pathNode } from '../path-node.ts'
import { entryOf } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const EXIT: PathNode = { ...pathNode(9), isPublic: false }
const UNSEEN = { country: '', asn: 0 }
const GERMAN = { country: 'DE', asn: 3320 }

/** Lets a circuit by way of a relay show where that sees the exit. */
function heard(...words: readonly (readonly [relay: PathNode, country: string, asn: number])[]) {
  const record = createRelayWords()
  for (const [relay, country, asn] of words) {
    record.onBuilt([pathNode(1), relay, EXIT], [UNSEEN, { country, asn }])
  }
  return record.of(EXIT.key)
}

suite('where relays see an exit without an address (SPEC §5.4)', () => {
  test('counts when two say the same, country and AS each by itself', () => {
    assert.equal(heard([pathNode(2), 'DE', 3320]), undefined)
    assert.equal(
      heard([pathNode(2), 'DE', 3320], [pathNode(2), 'DE', 3320]),
      undefined,
      'one, twice',
    )
    assert.deepEqual(heard([pathNode(2), 'DE', 3320], [pathNode(3), 'DE', 3320]), GERMAN)
    assert.deepEqual(heard([pathNode(2), 'DE', 3320], [pathNode(3), 'DE', 0]), {
      country: 'DE',
      asn: 0,
    })
    assert.equal(heard([pathNode(2), 'DE', 1], [pathNode(3), 'FR', 2]), undefined)
  })

  test('is what most say; where as many say another thing nobody is believed', () => {
    const two = [
      [pathNode(2), 'DE', 0],
      [pathNode(3), 'DE', 0],
    ] as const
    assert.equal(heard(...two, [pathNode(4), 'FR', 0])?.country, 'DE')
    assert.equal(heard(...two, [pathNode(4), 'FR', 0], [pathNode(5), 'FR', 0]), undefined)
  })

  test('relays of one owner or one AS are one voice', () => {
    const owned = (number: number): PathNode => ({ ...pathNode(number), owners: ['staker aa'] })
    const placed = (number: number): PathNode => ({ ...pathNode(number), asns: [64_500] })
    assert.equal(heard([owned(2), 'DE', 0], [owned(3), 'DE', 0]), undefined)
    assert.equal(heard([placed(2), 'DE', 0], [placed(3), 'DE', 0]), undefined)
    assert.equal(heard([owned(2), 'DE', 0], [placed(3), 'DE', 0])?.country, 'DE')
  })

  test('a node with an address is looked up by the client, whatever relays say of it', () => {
    const record = createRelayWords()
    const open = { ...EXIT, isPublic: true }
    for (const number of [2, 3]) record.onBuilt([pathNode(number), open], [GERMAN])
    assert.equal(record.of(open.key), undefined)
  })

  test('is the same object until something else is said, and replaces the node’s own word', () => {
    const record = createRelayWords()
    const attached = entryOf(9, {
      country: 'JP',
      addresses: [],
      attachments: [entryOf(2).descriptor.nodeId],
    })
    const all = [2, 3, 4].map((number) => entryOf(number)).concat(attached)
    const byKey = new Map(all.map((entry) => [entry.key, entry]))
    const set = { get: (key: NodeKey) => byKey.get(key), entries: () => byKey.values() }
    const nodes = createPathNodeSet(set, NETWORK, undefined, {
      seenPlaceOf: (key) => record.of(key),
    })
    const exit = (): PathNode => nodes.get(attached.key) ?? EXIT
    assert.deepEqual([exit().country, exit().countryBy, exit().isMisplaced], ['JP', 'claim', false])
    for (const number of [2, 3]) {
      const relay = nodes.get(nodeKeyOf(entryOf(number).descriptor.nodeId))
      assert.ok(relay)
      record.onBuilt([relay, exit()], [GERMAN])
    }
    assert.equal(record.of(attached.key), record.of(attached.key))
    assert.equal(exit(), exit(), 'worked out once')
    assert.deepEqual([exit().country, exit().countryBy, exit().isMisplaced], ['DE', 'relays', true])
    assert.deepEqual([exit().asns, exit().asnBy], [[3320], 'relays'])
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      nowMs: () => NOW_MS,
    })
    assert.equal(
      weights.factorsOf(attached.key).place,
      0.5,
      'half: they may be accomplices of nobody, and err',
    )
  })
})
