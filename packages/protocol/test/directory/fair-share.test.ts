/** Shares of owners, address blocks and autonomous systems in what is chosen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fairWeights, MAX_GROUP_SHARE } from '@byway/protocol/directory'
import type { PathNode } from '@byway/protocol/directory'
import { id, ipv4, makeEntry, nodeSet } from './registry.ts'

function nodeOf(
  number: number,
  place: { owner?: number; family?: number; prefix?: number; asn?: number; others?: number[] },
): PathNode {
  const prefix = place.prefix ?? 1000 + number
  const entry = makeEntry(number, {
    stakerId: place.owner === undefined ? undefined : id(place.owner),
    familyId: place.family === undefined ? undefined : id(place.family),
    asn: place.asn ?? 0,
    addresses: [prefix, ...(place.others ?? [])].map((one) =>
      ipv4(`${1 + (one >> 8)}.${one & 255}.0.1`),
    ),
  })
  const node = nodeSet([entry]).get(entry.key)
  assert.ok(node)
  return node
}

const shareOf = (
  weights: ReadonlyMap<string, number>,
  nodes: readonly PathNode[],
  isIn: (node: PathNode) => boolean,
): number => {
  const sum = (some: readonly PathNode[]): number =>
    some.reduce((total, { key }) => total + (weights.get(key) ?? 0), 0)
  return sum(nodes.filter(isIn)) / sum(nodes)
}

test('a thousand nodes of one owner are chosen no more than a tenth of the time', () => {
  const honest = Array.from({ length: 50 }, (_, i) => nodeOf(i, {}))
  const sybil = Array.from({ length: 1000 }, (_, i) => nodeOf(100 + i, { owner: 9 }))
  const nodes = [...honest, ...sybil]
  const weights = fairWeights(nodes, () => 1)
  const share = shareOf(weights, nodes, ({ owners }) => owners.length > 0)
  assert.ok(Math.abs(share - MAX_GROUP_SHARE) < 1e-9, `${share}`)
  assert.ok(honest.every(({ key }) => weights.get(key) === 1))
})

test('whoever claims the family of others takes nothing from them', () => {
  const honest = Array.from({ length: 50 }, (_, i) => nodeOf(i, { family: 7 }))
  const sybil = Array.from({ length: 1000 }, (_, i) => nodeOf(100 + i, { family: 7 }))
  const weights = fairWeights([...honest, ...sybil], () => 1)
  for (const { key } of honest) assert.equal(weights.get(key), 1)
})

test('addresses that nobody tried raise no share: seven more of each node leave one /16 its tenth', () => {
  for (const count of [50, 100, 400]) {
    const honest = Array.from({ length: 200 }, (_, i) => nodeOf(i, {}))
    const sybil = Array.from({ length: count }, (_, i) => {
      const others = Array.from({ length: 7 }, (__, k) => 20_000 + i * 7 + k)
      return nodeOf(10_000 + i, { prefix: 3, others })
    })
    const nodes = [...honest, ...sybil]
    const hostile = new Set(sybil.map(({ key }) => key))
    const share = shareOf(
      fairWeights(nodes, () => 1),
      nodes,
      ({ key }) => hostile.has(key),
    )
    assert.ok(share <= MAX_GROUP_SHARE + 1e-9, `${share} of ${count}`)
  }
})

test('in a network of three uneven groups, of one owner, block and AS each, the largest keeps two thirds, and the others all they have', () => {
  for (const [large, middle, small] of [
    [100, 3, 1],
    [100, 30, 1],
    [1000, 1, 1],
    [40, 39, 2],
  ] as const) {
    const groups = [large, middle, small].map((count, owner) =>
      Array.from({ length: count }, (_, i) =>
        nodeOf(owner * 2000 + i, { owner, prefix: owner, asn: 1 + owner }),
      ),
    )
    const nodes = groups.flat()
    const weights = fairWeights(nodes, () => 1)
    const [most = [], ...others] = groups
    const share = shareOf(weights, nodes, (node) => most.includes(node))
    // Each group is a third of what can be had, and may have twice that.
    assert.ok(share <= 2 / 3 + 0.01, `${share} of ${large}, ${middle}, ${small}`)
    assert.ok(share >= Math.min(2 / 3, large / nodes.length) - 0.01, `${share}`)
    for (const { key } of others.flat()) assert.ok((weights.get(key) ?? 0) > 0)
  }
})

test('so are those of one /16, and of one autonomous system', () => {
  const honest = Array.from({ length: 50 }, (_, i) => nodeOf(i, { asn: 100 + i }))
  for (const place of [{ prefix: 3, asn: 0 }, { asn: 7 }]) {
    const sybil = Array.from({ length: 400 }, (_, i) => nodeOf(100 + i, place))
    const nodes = [...honest, ...sybil]
    const hostile = new Set(sybil.map(({ key }) => key))
    const share = shareOf(
      fairWeights(nodes, () => 1),
      nodes,
      ({ key }) => hostile.has(key),
    )
    assert.ok(Math.abs(share - MAX_GROUP_SHARE) < 1e-9, `${JSON.stringify(place)} ${share}`)
  }
})

test('one node that weighs much gets no more than its share either', () => {
  const nodes = Array.from({ length: 40 }, (_, i) => nodeOf(i, {}))
  const weights = fairWeights(nodes, ({ key }) => (key === nodes[0]?.key ? 1000 : 1))
  assert.ok(shareOf(weights, nodes, ({ key }) => key === nodes[0]?.key) <= MAX_GROUP_SHARE + 1e-9)
})

test('in a small network nobody has more than twice an equal share, and somebody is chosen', () => {
  const nodes = Array.from({ length: 6 }, (_, i) => nodeOf(i, {}))
  const weights = fairWeights(nodes, ({ key }) => (key === nodes[0]?.key ? 1000 : 1))
  const share = shareOf(weights, nodes, ({ key }) => key === nodes[0]?.key)
  assert.ok(Math.abs(share - 1 / 3) < 1e-9, `${share}`)
  assert.deepEqual([...fairWeights(nodes.slice(0, 2), () => 1).values()], [1, 1])
  assert.equal(fairWeights(nodes, () => 0).size, 0)
})

test('in any network: weights only fall, stay positive, and no group of a kind is far above its share', () => {
  const places = fc.array(
    fc.record({
      owner: fc.option(fc.nat(30), { nil: undefined }),
      prefix: fc.nat(60),
      asn: fc.nat(40),
      weight: fc.double({ min: 0.01, max: 1000, noNaN: true }),
    }),
    { minLength: 60, maxLength: 200 },
  )
  const property = fc.property(places, (list) => {
    const nodes = list.map((place, i) => {
      const { owner, ...rest } = place
      return nodeOf(i, owner === undefined ? rest : { owner, ...rest })
    })
    const before = new Map(nodes.map(({ key }, i) => [key, list[i]?.weight ?? 0]))
    const weights = fairWeights(nodes, ({ key }) => before.get(key) ?? 0)
    for (const [key, weight] of weights) {
      assert.ok(weight > 0 && weight <= (before.get(key) ?? 0) * (1 + 1e-9))
    }
    for (const asn of new Set(nodes.flatMap(({ asns }) => asns))) {
      const groups = new Set(nodes.map(({ key, asns }) => asns[0] ?? key)).size
      const cap = Math.max(MAX_GROUP_SHARE, 2 / groups)
      const share = shareOf(weights, nodes, ({ asns }) => asns.includes(asn))
      assert.ok(share <= cap * 1.05, `AS${asn}: ${share} of ${cap}`)
    }
  })
  fc.assert(property, { numRuns: 100 })
})
