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
  refreshGuards,
} from '@byway/protocol/directory'
import type {
  NetworkParameters,
  NodeKey,
  Observation,
  OriginBook,
  OriginBooks,
} from '@byway/protocol/directory'
import { createNodeRecords } from '../../src/engine/node-records.ts'
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
  const records = createNodeRecords({ path: undefined, nowMs: () => nowMs })
  const recordOf = (key: NodeKey) => records.get(key)
  const weights = createNodeWeights({ nodes: () => nodes, recordOf, nowMs: () => nowMs })
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
  let used = 0
  let late = 0
  for (let circuit = 0; circuit < CIRCUITS && used < PATIENCE; circuit++, nowMs += EACH_S * 1000) {
    const chosen = drawn()
    const isUsed = chosen.includes(liar)
    used += Number(isUsed)
    for (const key of chosen) {
      const isLiar = key === liar
      const kbps = isUsed ? Math.min(HONEST_KBPS, kbpsOf(lie)) : HONEST_KBPS
      const shown = isLiar ? lie.shows(kbps) : transfer(kbps)
      records.observe(key, shown)
      if (shown.type === 'transfer') records.observe(key, { type: 'success' })
    }
  }
  const draws = 1000
  for (let draw = 0; draw < draws; draw++) late += Number(drawn().includes(liar))
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

  function drawn(): readonly NodeKey[] {
    const path = choosePath({
      set: nodes,
      guards: guardEntries(guards, new Map(), nowMs),
      request: { hops: 3, port: 443 },
      weightOf,
      random,
      nowMs,
    })
    assert.equal(path.result, 'path')
    return path.hops.slice(1).map(({ key }) => key)
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
    assert.ok(score.factors.speed > 1)
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
      // An honest node that was drawn as often is above its fair share by now: its line was measured to be faster than a new one's.
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
