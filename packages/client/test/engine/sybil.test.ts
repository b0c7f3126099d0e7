/**
 * A thousand nodes of one staker beside honest ones, for a week: how often they are on a path, and whether anybody enters by one.
 *
 *   client ── guard (honest) ── middle ── exit      draws by weight; a staker has a tenth at most of those drawn from
 */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { drawSybils, type SybilWorld } from './sybil-world.ts'

const SEED = 20_261_121
const SHARE_CAP = 0.1
const ONE_PERCENT = 0.01
const WEEK = { days: 7, request: { port: 443 }, seed: SEED }
const DAY = { ...WEEK, days: 0 }

/** They are there, and have no more of any place than their share. */
function assertCapped(t: TestContext, world: SybilWorld): void {
  const { exits, beyondEntry } = drawSybils(world)
  const said = `${exits} of exits, ${beyondEntry} beyond entries, seed ${world.seed}`
  t.diagnostic(said)
  assert.ok(exits > 0, said)
  assert.ok(exits <= SHARE_CAP + ONE_PERCENT && beyondEntry <= SHARE_CAP + ONE_PERCENT, said)
}

suite('a thousand nodes of one staker (THREAT-MODEL T9)', () => {
  test('get a tenth of the hops that are drawn at most, and no entry in a week', (t) => {
    const world = {
      relays: 0,
      exits: 200,
      sybils: 1000,
      ...WEEK,
      request: { hops: 3, port: 443 },
    } as const
    assertCapped(t, world)
    assert.equal(drawSybils({ ...world, days: 6 }).guards, 0)
  })

  test('get a tenth of the exits at most where exits are few among relays, of whatever age', (t) => {
    for (const sybilDays of [0, 14]) {
      assertCapped(t, { relays: 500, exits: 50, sybils: 1000, sybilDays, ...DAY })
    }
  })

  test('get a tenth of a country at most where all of them are in it', (t) => {
    const request = { port: 443, country: 'DE' }
    assertCapped(t, { relays: 0, exits: 200, sybils: 1000, country: 'DE', ...DAY, request })
  })

  test('get no more where honest nodes are left out that were drawn before', (t) => {
    assertCapped(t, { relays: 500, exits: 50, sybils: 1000, excluded: 20, ...DAY })
  })

  test('that are old get a tenth of guards at most where relays are few among homes', (t) => {
    for (const sybilsAre of ['relays', undefined] as const) {
      const world = { relays: 30, exits: 300, sybils: 100, isAtHome: true, sybilDays: 14 }
      // Of thirty clients' 90 guards a tenth, and twice the deviation of so many draws.
      const { guards } = drawSybils({ ...world, ...(sybilsAre && { sybilsAre }), ...DAY })
      t.diagnostic(`${guards} of guards, seed ${SEED}`)
      assert.ok(guards <= SHARE_CAP + 0.063, `${guards} of guards, seed ${SEED}`)
    }
  })

  test('get no entry in a network that is not two weeks old, and none beside few', () => {
    const young = { relays: 0, exits: 200, sybils: 1000, ...WEEK, days: 6 }
    for (const honestDays of [1, 5, 13]) {
      assert.equal(drawSybils({ ...young, honestDays }).guards, 0, `${honestDays} days`)
    }
    assert.equal(drawSybils({ ...young, exits: 12 }).guards, 0, 'beside twelve')
  })
})
