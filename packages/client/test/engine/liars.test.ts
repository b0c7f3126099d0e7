/**
 * Nodes that lie beside forty honest ones: one promises a fast line and has a slow one, one asks more than it published, one says it is in a country where it is not. Each
 * has fallen before fifty circuits ran through it.
 *
 *   client ── guard (honest) ── middle ── exit      draws by weight, and takes in what it saw of each hop
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  choosePath,
  createPathNodeSet,
  EMPTY_GUARD_STATE,
  guardEntries,
  nodeKeyOf,
  primaryGuards,
  refreshGuards,
} from '@byway/protocol/directory'
import type {
  NetworkParameters,
  NodeKey,
  Observation,
  OriginBook,
  OriginBooks,
  PathNode,
} from '@byway/protocol/directory'
import { besideFirst, ONE_IN_BESIDE, type GuardOrderDeps } from '../../src/engine/guard-order.ts'
import { createNodeMemory } from '../../src/engine/node-memory.ts'
import { scoreNodes, type NodeScore } from '../../src/engine/node-score.ts'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const HONEST = 40
/** Circuits through the liar in which it must have fallen (issue: "in ≤ 50 circuits"). */
const PATIENCE = 50
/** What honest lines carry here, and one of one Mbit/s that is a tenth as fast. */
const HONEST_KBPS = 2000
const SLOW_KBPS = 200
const EACH_S = 10
const BODY_BYTES = 1_000_000
/** Of the client, one each ten seconds: four hours. */
const CIRCUITS = 1500
const LIAR = HONEST

type Lie = {
  readonly descriptor?: Parameters<typeof entryOf>[1]
  readonly network?: NetworkParameters
  readonly places?: OriginBooks
  /** What a circuit through the liar shows. */
  readonly shows: (kbps: number) => Observation
}

const transfer = (kbps: number): Observation => ({
  type: 'transfer',
  bytes: BODY_BYTES,
  durationMs: (BODY_BYTES * 8) / kbps,
})

/** Lets a client use the network; gives how often the liar was drawn in the last thousand circuits, how often before, and its score. */
function runWith(lie: Lie, seed: number): { lateShare: number; score: NodeScore; used: number } {
  const all = Array.from({ length: HONEST + 1 }, (_, number) =>
    entryOf(number, number === LIAR ? lie.descriptor : {}),
  )
  const byKey = new Map(all.map((entry) => [entry.key, entry]))
  const nodes = createPathNodeSet(
    { get: (key) => byKey.get(key), entries: () => byKey.values() },
    lie.network ?? NETWORK,
    lie.places,
  )
  const liar = nodeKeyOf(entryOf(LIAR).descriptor.nodeId)
  let nowMs = NOW_MS
  let primary: readonly NodeKey[] = []
  const memory = createNodeMemory({
    home: undefined,
    nodeOf: (key) => nodes.get(key),
    primary: () => primary,
    log: { warn: () => assert.fail('no guard is slow') },
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
  })
  const { records, speeds } = memory
  const recordOf = (key: NodeKey) => records.get(key)
  const weights = createNodeWeights({
    nodes: () => nodes,
    recordOf,
    agreedOf: (key) => speeds.agreedOf(key),
    nowMs: () => nowMs,
  })
  const weightOf = (key: NodeKey): number => weights.weightOf(key)
  const random = seededRandom(seed)
  // A guard's own line is another matter: it is chosen once, and by distance.
  const isNewcomer = (key: NodeKey): boolean => key === liar
  const guards = refreshGuards(EMPTY_GUARD_STATE, {
    set: nodes,
    weightOf,
    isNewcomer,
    random,
    nowMs,
  })
  primary = primaryGuards(guards)
  const orderDeps = {
    links: { get: (key: NodeKey) => ({ isDraining: !primary.slice(0, 2).includes(key) }) },
    isSuspect: () => false,
    hasLevel: (key: NodeKey) => speeds.hasLevel(key),
  } as unknown as GuardOrderDeps
  let used = 0
  let late = 0
  for (let circuit = 0; circuit < CIRCUITS && used < PATIENCE; circuit++, nowMs += EACH_S * 1000) {
    const path = drawn()
    const isUsed = hasLiar(path)
    used += Number(isUsed)
    const kbps = isUsed ? Math.min(HONEST_KBPS, kbpsOf(lie)) : HONEST_KBPS
    const shown = isUsed ? lie.shows(kbps) : transfer(kbps)
    const served = shown.type === 'transfer' ? path : path.filter(({ key }) => key !== liar)
    if (served !== path) records.observe(liar, shown)
    for (const { key } of served.slice(1)) records.observe(key, { type: 'success' })
    memory.onTransfer(served, { bytes: BODY_BYTES, durationMs: (BODY_BYTES * 8) / kbps })
  }
  const draws = 1000
  for (let draw = 0; draw < draws; draw++) late += Number(hasLiar(drawn()))
  const scores = scoreNodes({
    nodes: () => nodes.list(nowMs),
    weights,
    recordOf,
    stakeAgeMs: undefined,
    provenOf: undefined,
    isGuard: () => false,
  })
  const score = scores.find(({ nodeId }) => nodeId === liar)
  assert.ok(score)
  return { lateShare: late / draws, score, used }

  function hasLiar(path: readonly PathNode[]): boolean {
    return path.slice(1).some(({ key }) => key === liar)
  }

  function drawn(): readonly PathNode[] {
    const entries = guardEntries(guards, new Map(), nowMs)
    const isBeside = random() * ONE_IN_BESIDE < 1
    const path = choosePath({
      set: nodes,
      guards: isBeside ? besideFirst(entries, orderDeps, random) : entries,
      request: { hops: 3, port: 443 },
      weightOf,
      random,
      nowMs,
    })
    assert.equal(path.result, 'path')
    return path.hops
  }
}

/** What the liar's line carries. */
function kbpsOf({ shows }: Lie): number {
  const shown = shows(HONEST_KBPS)
  return shown.type === 'transfer' ? (shown.bytes * 8) / shown.durationMs : HONEST_KBPS
}

/** Of two hops that are drawn, one honest node of forty-one is among them so often. */
const FAIR_SHARE = 2 / (HONEST + 1)

suite('a node that lies (issue: reputation; THREAT-MODEL T10)', () => {
  const seed = 20_261_121

  test('an honest one, looked at in the same way, is not told from the others', () => {
    const { lateShare, score } = runWith({ shows: transfer }, seed)
    assert.ok(lateShare > FAIR_SHARE / 2, `${lateShare}, seed ${seed}`)
    assert.equal(score.factors.speed, 1)
  })

  test('about its line falls to less than twice what its line is worth', () => {
    const { lateShare, score, used } = runWith({ shows: () => transfer(SLOW_KBPS) }, seed)
    const worth = (FAIR_SHARE * SLOW_KBPS) / HONEST_KBPS
    assert.ok(lateShare < 2 * worth, `${lateShare} after ${used} circuits, seed ${seed}`)
    assert.ok(score.factors.speed < 0.5)
    assert.equal(score.factors.success, 1)
  })

  test('about its price is left like one that serves nobody', () => {
    const { lateShare, score, used } = runWith({ shows: () => ({ type: 'failure' }) }, seed)
    assert.ok(lateShare < FAIR_SHARE / 5, `${lateShare} after ${used} circuits, seed ${seed}`)
    assert.ok(score.factors.success < 0.2)
  })

  test('about its country falls at once, and is nobody that country is asked of', () => {
    const network = {
      ...NETWORK,
      asnTable: [{ prefix: `1.${LIAR}.0.0/16`, asn: 64_500, country: 'US' }],
    }
    const lie: Lie = { descriptor: { country: 'DE' }, network, shows: transfer }
    const { lateShare, score } = runWith(lie, seed)
    assert.ok(lateShare < FAIR_SHARE / 2, `${lateShare}, seed ${seed}`)
    assert.equal(score.factors.place, 0.25)
    assert.deepEqual([score.country, score.claimedCountry], ['US', 'DE'])
  })

  const american: OriginBook = {
    lookup: ({ value }) =>
      value >> 16n === BigInt(256 + LIAR) ? { country: 'US', asn: 0 } : undefined,
  }
  const cases: readonly (readonly [places: OriginBooks, factor: number, by: string])[] = [
    [{ databases: [american] }, 0.25, 'database'],
    [{ databases: [], builtIn: american }, 0.5, 'built-in'],
  ]
  for (const [places, factor, by] of cases) {
    test(`about its country falls when it is the ${by} that knows better, and the score names it`, () => {
      const { lateShare, score } = runWith(
        { descriptor: { country: 'DE' }, places, shows: transfer },
        seed,
      )
      const honest = runWith({ places, shows: transfer }, seed)
      assert.ok(lateShare < honest.lateShare * (factor + 0.15), `${lateShare}, seed ${seed}`)
      assert.deepEqual([score.factors.place, score.countryBy, score.country], [factor, by, 'US'])
    })
  }

  test('about its country without an address is not caught, and is told as its word alone (docs/PLACE.md)', () => {
    const lie: Lie = {
      descriptor: { country: 'DE', addresses: [], attachments: [entryOf(0).descriptor.nodeId] },
      places: { databases: [american] },
      shows: transfer,
    }
    const { score } = runWith(lie, seed)
    assert.deepEqual([score.factors.place, score.countryBy, score.isPublic], [1, 'claim', false])
  })
})
