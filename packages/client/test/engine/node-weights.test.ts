import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createDescriptorSet, createPathNodeSet, nodeKeyOf } from '@byway/protocol/directory'
import type { NodeKey, PathNodeSet, StakeClaim } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const DAY_MS = 86_400_000

function network(count: number) {
  const set = createDescriptorSet(nodeCrypto)
  for (let i = 0; i < count; i++) set.offer(signedNode(i), NOW_MS)
  const nodes: PathNodeSet = createPathNodeSet(set, NETWORK)
  return { set, nodes, keys: nodes.list(NOW_MS).map(({ key }) => key) }
}

suite('weights of nodes (SPEC §10.3)', () => {
  test('follow what was measured, up to a fair share of all', () => {
    const { nodes, keys } = network(12)
    const speeds = new Map<NodeKey, number>()
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      agreedOf: (key) => ({ speed: speeds.get(key) ?? 1, latency: 1 }),
      nowMs: () => NOW_MS,
    })
    const [first, second] = keys
    assert.ok(first && second)
    speeds.set(first, 1.5).set(second, 1000)
    assert.equal(weights.weightOf(first), 1.5)
    const total = keys.reduce((sum, key) => sum + weights.weightOf(key), 0)
    assert.ok(Math.abs(weights.weightOf(second) / total - 2 / 12) < 1e-9)
  })

  test('a young stake counts little and is no guard, in a network that is old', () => {
    const { nodes, keys } = network(22)
    const [young, half] = keys
    const ageOf = ({ nodeId }: StakeClaim): number => {
      if (nodeKeyOf(nodeId) === young) return 0
      return nodeKeyOf(nodeId) === half ? 7 * DAY_MS : 30 * DAY_MS
    }
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      stakeAgeMs: ageOf,
      nowMs: () => NOW_MS,
    })
    assert.deepEqual(
      keys.slice(0, 3).map((key) => [weights.weightOf(key), weights.isNewcomer(key)]),
      [
        [0.1, true],
        [0.55, true],
        [1, false],
      ],
    )
  })

  test('proven service raises what was measured, and makes no elder of a young stake', () => {
    const { nodes, keys } = network(22)
    const [paid, slow, young] = keys
    assert.ok(paid && slow && young)
    const proven = new Set<NodeKey>([paid, slow, young])
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      agreedOf: (key) => ({ speed: key === slow ? 0.5 : 1, latency: 1 }),
      stakeAgeMs: ({ nodeId }) => (nodeKeyOf(nodeId) === young ? 0 : 30 * DAY_MS),
      provenOf: ({ nodeId }) =>
        proven.has(nodeKeyOf(nodeId)) ? { epochs: 2, fees: 1n, factor: 1.5 } : undefined,
      nowMs: () => NOW_MS,
    })
    assert.equal(weights.weightOf(paid), 1.5)
    assert.equal(weights.weightOf(slow), 0.75, 'less than who was never used: measured goes first')
    assert.ok(Math.abs(weights.weightOf(young) - 0.15) < 1e-12)
    assert.equal(weights.isNewcomer(young), true)
    assert.deepEqual(weights.factorsOf(slow), {
      speed: 0.5,
      latency: 1,
      success: 1,
      service: 1.5,
      youth: 1,
      place: 1,
      honesty: 1,
      share: 1,
    })
  })

  test('one that is not where it says weighs a quarter, whatever tables say', () => {
    const { nodes, keys } = network(22)
    const [elsewhere] = keys
    assert.ok(elsewhere)
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      isElsewhere: ({ key }) => key === elsewhere,
      nowMs: () => NOW_MS,
    })
    assert.deepEqual(
      keys.slice(0, 2).map((key) => weights.weightOf(key)),
      [0.25, 1],
    )
    assert.equal(weights.factorsOf(elsewhere).place, 0.25)
  })

  test('in a network that is itself young, or of which nobody knows the age, all count in full', () => {
    const { nodes, keys } = network(22)
    const young = new Set(keys.slice(0, 3))
    const isYoung = ({ nodeId }: StakeClaim): boolean => young.has(nodeKeyOf(nodeId))
    const newcomersAt = (stakeAgeMs?: (claim: StakeClaim) => number | undefined): number => {
      const deps = { nodes: () => nodes, recordOf: () => undefined, nowMs: () => NOW_MS }
      const weights = createNodeWeights({ ...deps, stakeAgeMs })
      assert.ok(keys.every((key) => weights.weightOf(key) === 1))
      const newcomers = keys.filter((key) => weights.isNewcomer(key))
      assert.ok(newcomers.every((key) => young.has(key)))
      return newcomers.length
    }
    assert.equal(newcomersAt(), 0)
    assert.equal(
      newcomersAt(() => undefined),
      0,
    )
    assert.equal(
      newcomersAt(() => DAY_MS),
      0,
      'who started together',
    )
    // Nineteen old ones are too few for weights; guards are a week old all the same, or of the oldest.
    for (const [age, old, newcomers] of [
      [0, 30, 3],
      [6.9, 30, 3],
      [7.1, 13, 0],
      [0, 2, 3],
      [1, 2, 3],
    ] as const) {
      const found = newcomersAt((claim) => (isYoung(claim) ? age : old) * DAY_MS)
      assert.equal(found, newcomers, `${age} days beside ${old}`)
    }
    assert.equal(
      newcomersAt((claim) => (isYoung(claim) ? undefined : 2 * DAY_MS)),
      3,
      'unknown is not old',
    )
  })

  test('a node that answers late weighs less, and is a new guard all the same', () => {
    const { nodes, keys } = network(12)
    const [late] = keys
    assert.ok(late)
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      agreedOf: (key) => (key === late ? { speed: 0.8, latency: 0.5 } : { speed: 1, latency: 1 }),
      nowMs: () => NOW_MS,
    })
    assert.equal(weights.weightOf(late), 0.4)
    assert.equal(weights.guardWeightOf(late), 0.8)
    const { speed, latency, share } = weights.factorsOf(late)
    assert.deepEqual([speed, latency, share], [0.8, 0.5, 1])
  })

  test('a node that joins is weighed within a second', () => {
    const { set, nodes, keys } = network(4)
    const joined = nodeKeyOf(nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(9)).publicKey)
    let nowMs = NOW_MS
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      agreedOf: (key) => ({ speed: key === joined ? 1000 : 1, latency: 1 }),
      nowMs: () => nowMs,
    })
    for (const key of keys) assert.equal(weights.weightOf(key), 1)
    set.offer(signedNode(9), NOW_MS)
    assert.equal(weights.weightOf(joined), 1000)
    nowMs += 1000
    assert.ok(Math.abs(weights.weightOf(joined) - 4 / (1 / 0.4 - 1)) < 1e-9, 'two fifths of all')
  })
})
