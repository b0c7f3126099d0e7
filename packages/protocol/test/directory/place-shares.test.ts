/** Shares among the nodes that a place is drawn from, and for how long they are kept. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type NodeKey, NO_MOMENT, type PathNode, placeWeights } from '@byway/protocol/directory'
import { id, makeEntry, nodeSet } from './registry.ts'

const OWNER = 9
const CAP = 0.1
const ONE_PERCENT = 0.01

/** Honest nodes first, then those of one owner. */
function network(honest: number, owned: number) {
  const entries = Array.from({ length: honest + owned }, (_, i) =>
    makeEntry(i, { stakerId: i < honest ? undefined : id(OWNER) }),
  )
  const set = nodeSet(entries)
  const nodes = entries.flatMap(({ key }) => set.get(key) ?? [])
  return { set, honest: nodes.slice(0, honest), owned: nodes.slice(honest) }
}

function partOf(
  some: readonly PathNode[],
  all: readonly PathNode[],
  weigh: (node: PathNode) => number,
): number {
  const sum = (nodes: readonly PathNode[]): number =>
    nodes.reduce((total, node) => total + weigh(node), 0)
  return sum(some) / sum(all)
}

suite('shares of a place (ADR-0051)', () => {
  test('are of the nodes drawn from, whatever they are of all', () => {
    const { set, honest, owned } = network(60, 60)
    for (const [others, own] of [
      [honest, owned.slice(0, 6)],
      [honest.slice(0, 30), owned],
      [honest.slice(0, 20), owned],
    ] as const) {
      const drawn = [...others, ...own]
      const share = partOf(
        own,
        drawn,
        placeWeights(set, drawn, () => 1),
      )
      assert.ok(share <= CAP + ONE_PERCENT, `${share} of ${drawn.length}`)
    }
  })

  test('hold to a hundredth while honest nodes leave and weights of the owner rise, one by one', () => {
    const { set, honest, owned } = network(200, 200)
    const weights = new Map<NodeKey, number>()
    const weightOf = (key: NodeKey): number => weights.get(key) ?? 1
    for (let step = 0; step < 150; step++) {
      const drawn = [...honest.slice(step), ...owned]
      for (const { key } of owned.slice(0, step)) weights.set(key, 2 + step / 10)
      const share = partOf(owned, drawn, placeWeights(set, drawn, weightOf))
      assert.ok(share <= CAP + ONE_PERCENT, `${share} at step ${step}`)
      assert.ok(share >= CAP - ONE_PERCENT, `${share} at step ${step}`)
    }
  })

  test('count what was measured since, within a hundredth', () => {
    const { set, honest, owned } = network(300, 0)
    const [first] = honest
    assert.ok(first && owned.length === 0)
    placeWeights(set, honest, () => 1)
    const weigh = placeWeights(set, honest, (key) => (key === first.key ? 0.5 : 1))
    assert.equal(weigh(first), 0.5)
    assert.equal(placeWeights(set, honest, () => -1)(first), 0)
  })

  test('give to nodes that are drawn last nothing of what those before them have too much', () => {
    const { set, honest, owned } = network(30, 6)
    const isFirst = new Set(honest.slice(0, 3).map(({ key }) => key))
    const momentOf = (key: NodeKey) => ({ ...NO_MOMENT, factor: isFirst.has(key) ? 1 : 1e-6 })
    const all = [...honest, ...owned]
    const last = all.filter(({ key }) => !isFirst.has(key))
    const weigh = placeWeights(set, all, () => 1, momentOf)
    const share = partOf(last, all, weigh)
    assert.ok(share > 0 && share < 1e-4, `${share}`)
    // Among themselves nobody of them has more than a share.
    const own = partOf(owned, last, weigh)
    assert.ok(own <= CAP + ONE_PERCENT, `${own}`)
  })

  test('are of those that are drawn first, whoever else is on the list', () => {
    const { set, honest, owned } = network(60, 60)
    const isFirst = new Set([...honest.slice(0, 30), ...owned].map(({ key }) => key))
    const first = [...honest, ...owned].filter(({ key }) => isFirst.has(key))
    for (const later of [0.001, 0]) {
      const momentOf = (key: NodeKey) => ({ ...NO_MOMENT, factor: isFirst.has(key) ? 1 : later })
      const weigh = placeWeights(set, [...honest, ...owned], () => 1, momentOf)
      const own = partOf(owned, first, weigh)
      assert.ok(Math.abs(own - CAP) <= ONE_PERCENT, `${own}`)
    }
  })

  test('let who asks nothing gain nothing by what a payer prefers among the rest', () => {
    const { set, honest, owned } = network(80, 20)
    const all = [...honest, ...owned]
    const six = new Set(honest.slice(0, 6).map(({ key }) => key))
    for (const [free, part] of [
      // Of twenty owners: what they weigh.
      [honest.slice(60), 20 / 90],
      // Of one: its share.
      [owned, CAP],
    ] as const) {
      const isFree = new Set(free.map(({ key }) => key))
      const momentOf = (key: NodeKey) => ({
        factor: 1,
        preference: isFree.has(key) ? undefined : six.has(key) ? 1 : 0.001,
      })
      const share = partOf(
        free,
        all,
        placeWeights(set, all, () => 1, momentOf),
      )
      assert.ok(Math.abs(share - part) <= 0.015, `${share} of ${part}`)
    }
  })

  test('do not count those that a payer does not take at all', () => {
    const { set, honest } = network(100, 0)
    const [free, taken] = [honest.slice(0, 20), honest.slice(20, 40)]
    const isIn = (some: readonly PathNode[], key: NodeKey) => some.some((node) => node.key === key)
    const momentOf = (key: NodeKey) => ({
      factor: 1,
      preference: isIn(free, key) ? undefined : isIn(taken, key) ? 1 : 0,
    })
    const weigh = placeWeights(set, honest, () => 1, momentOf)
    assert.equal(partOf([...free, ...taken], honest, weigh), 1)
    assert.ok(Math.abs(partOf(free, honest, weigh) - 0.5) < ONE_PERCENT)
  })
})
