/** THREAT-MODEL T8: many paths over a synthetic registry of which a fifth is one attacker's, in three subnets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  choosePath,
  type DirectoryEntry,
  type NodeKey,
  type PathNode,
  type PathRequest,
} from '@byway/protocol/directory'
import { id, ipv4, keyOf, makeEntry, nodeSet, NOW_MS, seeded } from './registry.ts'

const SEED = Number(process.env['SEED'] ?? 20_261_120)
const PATHS = process.env['SLOW'] === '1' ? 1_000_000 : 100_000
const NODES = 500
const SYBILS = 100

/** Honest nodes share ASNs, families and stakers as real ones do; the attacker admits to nothing but its subnets. */
function makeRegistry(): readonly DirectoryEntry[] {
  const random = seeded(SEED)
  return Array.from({ length: NODES }, (_, number) => {
    if (number < SYBILS) {
      return makeEntry(number, { addresses: [ipv4(`66.${number % 3}.${number}.1`)] })
    }
    const owner = Math.floor(random() * 300)
    const shared = {
      asn: 1 + Math.floor(random() * 120),
      familyId: owner < 40 ? id(owner) : undefined,
      stakerId: owner >= 40 && owner < 80 ? id(owner) : undefined,
    }
    if (number % 5 !== 0) return makeEntry(number, { ...shared, roles: number % 2 === 0 ? 3 : 1 })
    const attachments = Array.from({ length: 6 }, () => id(Math.floor(random() * NODES)))
    return makeEntry(number, { ...shared, addresses: [], attachments, roles: 2 })
  })
}

/** The slow oracle of the rule, from the descriptors themselves. */
function violates(hops: readonly PathNode[]): boolean {
  return hops.some((a, i) =>
    hops.slice(i + 1).some((b) => {
      const x = a.entry.descriptor
      const y = b.entry.descriptor
      const net = (d: typeof x): string[] =>
        d.addresses.map(({ bytes }) => bytes.slice(0, 2).join('.'))
      const same = (p?: Uint8Array, q?: Uint8Array): boolean =>
        p !== undefined && q !== undefined && p.join() === q.join()
      return (
        same(x.nodeId, y.nodeId) ||
        net(x).some((prefix) => net(y).includes(prefix)) ||
        (x.asn !== 0 && x.asn === y.asn) ||
        same(x.familyId, y.familyId) ||
        same(x.stakerId, y.stakerId)
      )
    }),
  )
}

test(`${PATHS} paths break no rule, and exits come as often as they weigh (seed ${SEED})`, () => {
  const entries = makeRegistry()
  const set = nodeSet(entries)
  const weights = new Map(entries.map(({ key }, i) => [key, 1 + (i % 7)]))
  const weightOf = (key: NodeKey): number => weights.get(key) ?? 0
  const random = seeded(SEED + 1)
  const guards = [keyOf(101), keyOf(203), keyOf(307)]
  const ownNodes = new Set([keyOf(402), keyOf(404)])
  const counts = new Map<NodeKey, number>()
  const two: PathRequest = { port: 443 }
  const three: PathRequest = { port: 443, hops: 3 }
  for (let i = 0; i < PATHS; i++) {
    const request = i % 2 === 0 ? two : three
    const path = choosePath({ set, guards, request, weightOf, random, nowMs: NOW_MS, ownNodes })
    assert.ok(path.result === 'path')
    const { hops } = path
    const exit = hops.at(-1)
    assert.ok(exit !== undefined && !violates(hops), `path ${i} breaks a rule`)
    assert.ok(hops[0] && guards.includes(hops[0].key))
    assert.equal(hops.length, exit.isPublic && request === two ? 2 : 3)
    if (hops.length === 3 && !exit.isPublic) assert.ok(exit.attachments.includes(hops[1]!.key))
    assert.ok(hops.every(({ key }) => !ownNodes.has(key)))
    counts.set(exit.key, (counts.get(exit.key) ?? 0) + 1)
  }
  assertNearWeights(counts, weightOf)
})

/**
 * Every exit that came up at all is expected by its weight among those; the sum of squares then follows chi-squared.
 * An exit that no guard may reach never comes up, whatever it weighs.
 */
function assertNearWeights(
  counts: ReadonlyMap<NodeKey, number>,
  weightOf: (key: NodeKey) => number,
): void {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const weight = [...counts.keys()].reduce((sum, key) => sum + weightOf(key), 0)
  let chiSquared = 0
  for (const [key, count] of counts) {
    const expected = (total * weightOf(key)) / weight
    chiSquared += (count - expected) ** 2 / expected
  }
  const freedom = counts.size - 1
  assert.ok(counts.size > 200, `${counts.size} exits came up`)
  const bound = freedom + 4 * Math.sqrt(2 * freedom)
  assert.ok(chiSquared < bound, `chi-squared ${chiSquared.toFixed(0)} above ${bound.toFixed(0)}`)
}
