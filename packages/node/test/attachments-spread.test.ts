import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { mayShareCircuit, type PathNode } from '@byway/protocol/directory'
import { chooseCandidates, nextToDial } from '../src/attachment-choice.ts'
import { world } from './attachment-world.ts'
import { relayNode, relaysOfOne, seeded } from './relay-nodes.ts'

const MINUTE_MS = 60_000
const SEEDS = Array.from({ length: 50 }, (_, i) => i)
const HOSTILE = 900

const honest = (count: number): PathNode[] => Array.from({ length: count }, (_, i) => relayNode(i))
const inBlock = (nodes: readonly PathNode[]): number =>
  nodes.filter(({ prefixGroups }) => prefixGroups.some((each) => HOSTILE_GROUPS.has(each))).length
const HOSTILE_GROUPS = new Set(relaysOfOne(HOSTILE, 1).flatMap(({ prefixGroups }) => prefixGroups))

function isSpread(nodes: readonly PathNode[]): boolean {
  return nodes.every((node, i) => nodes.slice(i + 1).every((other) => mayShareCircuit(node, other)))
}

suite('spread of attachments', () => {
  test('of a list that begins with six of one operator at most one is a candidate', async () => {
    const relays = [...relaysOfOne(HOSTILE, 6), ...honest(20)]
    for (const seed of SEEDS) {
      const { look, attachments, live } = world(relays, seeded(seed))
      await look()
      const chosen = relays.filter(({ entry }) => attachments.candidates.includes(entry))
      assert.equal(chosen.length, 6, `seed ${seed}`)
      assert.ok(isSpread(chosen), `seed ${seed}`)
      assert.equal(live().length, 3)
    }
  })

  test('the order of the list decides nothing: each relay is drawn about as often', () => {
    const fresh = honest(12)
    const counts = new Map<string, number>()
    const random = seeded(1)
    for (let i = 0; i < 2000; i++) {
      for (const { key } of chooseCandidates({ kept: [], fresh, random }))
        counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const { key } of fresh) {
      const count = counts.get(key) ?? 0
      assert.ok(count > 850 && count < 1150, `${count} of 1000`)
    }
  })

  test('a hundred relays in one block are drawn about as seldom as their share allows', () => {
    const fresh = [...relaysOfOne(HOSTILE, 100), ...honest(30)]
    const random = seeded(2)
    let firsts = 0
    for (let i = 0; i < 500; i++)
      firsts += inBlock(chooseCandidates({ kept: [], fresh, random }).slice(0, 1))
    assert.ok(firsts < 80, `${firsts} of 500, a tenth is 50`)
  })

  for (const [what, facts] of [
    ['a family', { familyId: new Uint8Array(32).fill(7) }],
    ['a staker', { stakerId: new Uint8Array(32).fill(7) }],
    ['an autonomous system', { asn: 64_500 }],
  ] as const) {
    test(`no two candidates share ${what}`, () => {
      const fresh = [
        ...Array.from({ length: 10 }, (_, i) => relayNode(50 + i, facts)),
        ...honest(5),
      ]
      for (const seed of SEEDS) {
        const chosen = chooseCandidates({ kept: [], fresh, random: seeded(seed) })
        assert.equal(chosen.length, 6, `seed ${seed}`)
        assert.ok(isSpread(chosen), `seed ${seed}`)
      }
    })
  }

  test('three operators give three candidates, two give what there is', () => {
    const random = seeded(3)
    const three = chooseCandidates({
      kept: [],
      fresh: [...relaysOfOne(HOSTILE, 9), ...honest(2)],
      random,
    })
    assert.equal(three.length, 3)
    assert.ok(isSpread(three))
    const two = chooseCandidates({
      kept: [],
      fresh: [...relaysOfOne(HOSTILE, 9), ...honest(1)],
      random,
    })
    assert.equal(two.length, 6)
    assert.equal(inBlock(two), 5)
  })

  test('a node that knew one operator only lets all but one go when it hears of others', async () => {
    const hostile = relaysOfOne(HOSTILE, 6)
    const { look, relays, attachments, editions, live } = world(hostile, seeded(4))
    await look()
    assert.equal(attachments.candidates.length, 6)
    relays.push(...honest(8))
    await look()
    const chosen = relays.filter(({ entry }) => attachments.candidates.includes(entry))
    assert.equal(inBlock(chosen), 1)
    assert.equal(chosen.length, 6)
    assert.equal(live().length, 3)
    await look()
    assert.deepEqual(editions, [6, 6])
  })

  test('one that takes the family of another pushes itself out', async () => {
    const familyId = new Uint8Array(32).fill(7)
    const relays = [...honest(5), relayNode(5, { familyId }), ...relaysOfOne(HOSTILE, 1)]
    const { look, relays: listed, candidates } = world(relays)
    await look()
    assert.deepEqual(
      candidates().toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5],
    )
    listed[0] = relayNode(0, { familyId })
    await look()
    assert.deepEqual(
      candidates().toSorted((a, b) => a - b),
      [1, 2, 3, 4, 5, 6],
    )
  })

  test('replacements of dead candidates keep the rule', async () => {
    const hostile = relaysOfOne(HOSTILE, 12)
    for (const seed of SEEDS.slice(0, 3)) {
      const { look, drop, pass, down, relays, attachments, live, candidates } = world(
        [...hostile, ...honest(9)],
        seeded(seed),
      )
      await look()
      const first = new Set(candidates())
      for (const number of first) down.add(number)
      for (const number of live()) await drop(number)
      await pass(20 * MINUTE_MS)
      const chosen = relays.filter(({ entry }) => attachments.candidates.includes(entry))
      assert.ok(
        candidates().some((number) => !first.has(number)),
        `seed ${seed}`,
      )
      assert.ok(isSpread(chosen), `seed ${seed}`)
      assert.ok(inBlock(chosen) <= 1, `seed ${seed}`)
    }
  })

  test('links are spread too: what stands apart is dialled first, also as a fourth', () => {
    const [a, b, c, d] = relaysOfOne(HOSTILE, 4) as [PathNode, PathNode, PathNode, PathNode]
    const other = relayNode(0)
    assert.equal(nextToDial([a], [b, other]), other)
    assert.equal(nextToDial([a, b, c], [d, other]), other)
    assert.equal(nextToDial([a, b, c], [d]), undefined)
    assert.equal(nextToDial([a, b], [c]), c)
    assert.equal(nextToDial([other, relayNode(1), relayNode(2)], [relayNode(3)]), undefined)
  })

  test('of one operator and another that comes up late both have a link', async () => {
    const { look, pass, down, live } = world([...relaysOfOne(HOSTILE, 5), relayNode(0)])
    down.add(5)
    await look()
    assert.equal(live().includes(5), false)
    assert.equal(live().length, 3)
    down.delete(5)
    await pass(MINUTE_MS)
    assert.equal(live().includes(5), true)
    assert.equal(live().length, 4)
  })
})
