/** Nodes that are to be drawn after others, in the places of paths that a client draws: shares of a place (ADR-0051) must not bring them back. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createPathNodeSet, type NodeKey } from '@byway/protocol/directory'
import {
  ABSENT_FACTOR,
  createCircuitSource,
  type CircuitSourceDeps,
} from '../../src/engine/circuit-source.ts'
import { momentsOf, scoreNodes } from '../../src/engine/node-score.ts'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { createHopBook } from '../../src/money/hop-book.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const DRAWS = 1000
const SEED = 20_261_123

const keyOf = (number: number): NodeKey => entryOf(number).key

/** Exits of a path that a client would take now, node 0 its only guard, the others in DE. */
function plannerOf(nodes: number, change: Partial<CircuitSourceDeps>) {
  const entries = Array.from({ length: nodes }, (_, number) =>
    entryOf(number, number === 0 ? { roles: 1, exitProfile: 0 } : { country: 'DE' }),
  )
  const byKey = new Map(entries.map((entry) => [entry.key, entry]))
  const set = createPathNodeSet(
    { get: (key) => byKey.get(key), entries: () => byKey.values() },
    NETWORK,
  )
  return createCircuitSource({
    directory: { nodes: set },
    guards: { entries: () => [keyOf(0)] },
    links: { get: () => undefined },
    weights: { weightOf: () => 1 },
    random: seededRandom(SEED),
    nowMs: () => NOW_MS,
    ownNodes: () => new Set(),
    reach: reachOf(() => false),
    ...change,
  } as unknown as CircuitSourceDeps)
}

function reachOf(isAbsent: (key: NodeKey) => boolean): CircuitSourceDeps['reach'] {
  return {
    isSuspect: () => false,
    absent: { isAbsent, isAbsentFor: () => false },
  } as unknown as CircuitSourceDeps['reach']
}

/** How many of many paths end at each node. */
function exitsOf(
  source: ReturnType<typeof createCircuitSource>,
  isAhead: boolean,
): ReadonlyMap<NodeKey, number> {
  const counts = new Map<NodeKey, number>()
  for (let draw = 0; draw < DRAWS; draw++) {
    const exit = source.plan({ port: 443, country: 'DE', isAhead })?.at(-1)
    assert.ok(exit)
    counts.set(exit.key, (counts.get(exit.key) ?? 0) + 1)
  }
  return counts
}

suite('nodes that are drawn last', () => {
  for (const [exits, absent] of [
    [4, 3],
    [10, 8],
    [40, 37],
  ] as const) {
    test(`are the ${absent} of ${exits} exits that were not there, as long as another is`, () => {
      const gone = new Set(Array.from({ length: absent }, (_, at) => keyOf(1 + at)))
      const reach = reachOf((key) => gone.has(key))
      const counts = exitsOf(plannerOf(exits + 1, { reach }), false)
      for (const key of gone) assert.equal(counts.get(key), undefined)
      assert.equal(counts.size, exits - absent)
    })
  }

  test('are exits without tokens while somebody waits, and exits without a slot when there are slots enough', () => {
    const [stocked, shown] = [new Set([1, 2, 3].map(keyOf)), new Set([1, 2, 3, 4, 5, 6].map(keyOf))]
    const book = createHopBook({
      slots: { has: (key) => shown.has(key), left: { unshown: 30, inUse: shown.size } },
      nodeOf: (key) => ({ key, entry: { descriptor: { priceStep: 0 } } }) as never,
      isStocked: (key) => stocked.has(key),
      tariffOf: () => ({ priceStep: 0 }) as never,
      maxPriceStep: 8,
      nowMs: () => NOW_MS,
    })
    const source = plannerOf(31, {
      preferenceOf: (key, place) => book.preferenceOf(key, place),
    })
    const waited = exitsOf(source, false)
    assert.deepEqual(new Set(waited.keys()), stocked)
    const ahead = exitsOf(source, true)
    const strangers = [...ahead].filter(([key]) => !shown.has(key))
    const drawn = strangers.reduce((sum, [, count]) => sum + count, 0)
    // 24 of them weigh a thousandth each beside six.
    assert.ok(drawn < 0.02 * DRAWS, `${drawn}`)
  })

  test('leave to exits that ask nothing what these have of all weight, whoever has tokens or a slot', () => {
    const isFree = (key: NodeKey): boolean => [28, 29, 30].map(keyOf).includes(key)
    const slots = { has: (key: NodeKey) => [1, 2].map(keyOf).includes(key) }
    const book = createHopBook({
      slots: { ...slots, left: { unshown: 30, inUse: 6 } },
      nodeOf: (key) => ({ key, entry: { descriptor: { priceStep: 0 } } }) as never,
      isStocked: slots.has,
      tariffOf: ({ key }) => (isFree(key) ? undefined : ({ priceStep: 0 } as never)),
      maxPriceStep: 8,
      nowMs: () => NOW_MS,
    })
    const preferenceOf: CircuitSourceDeps['preferenceOf'] = (key, place) =>
      book.preferenceOf(key, place)
    const counts = exitsOf(plannerOf(31, { preferenceOf }), false)
    const free = [...counts].filter(([key]) => isFree(key)).reduce((sum, [, one]) => sum + one, 0)
    // A tenth of thirty exits, and three deviations of so many draws; all others are the two with tokens.
    assert.ok(Math.abs(free / DRAWS - 0.1) < 0.03, `${free}`)
    assert.equal(counts.size, 5)
  })

  test('have a score that says so, and are the last of the list', () => {
    const entries = [1, 2, 3, 4].map((number) => entryOf(number))
    const byKey = new Map(entries.map((entry) => [entry.key, entry]))
    const nodes = createPathNodeSet(
      { get: (key) => byKey.get(key), entries: () => byKey.values() },
      NETWORK,
    )
    const absent = { isAbsent: (key: NodeKey) => key === keyOf(1) } as never
    const reach = { absent, isSuspect: (key: NodeKey) => key === keyOf(3) }
    const standingOf = (key: NodeKey) => (key === keyOf(2) ? 'beyond' : 'usual')
    const momentOf = momentsOf(reach, { standingOf }, 'browse')
    const recordOf = () => undefined
    const scores = scoreNodes({
      nodes: () => nodes.list(NOW_MS),
      weights: createNodeWeights({ nodes: () => nodes, recordOf, nowMs: () => NOW_MS }),
      recordOf,
      stakeAgeMs: undefined,
      provenOf: undefined,
      isGuard: () => false,
      momentOf,
    })
    assert.deepEqual(
      scores.map(({ nodeId }) => nodeId),
      [3, 4, 2, 1].map(keyOf),
    )
    assert.deepEqual(
      scores.map(({ weight }) => weight),
      [1, 1, 0.001, ABSENT_FACTOR],
    )
    assert.deepEqual(
      scores.map(({ moment }) => moment.isLastGuard),
      [true, false, false, false],
    )
    assert.ok(Math.abs((scores[0]?.share ?? 0) - 0.5) < 0.001)
  })
})
