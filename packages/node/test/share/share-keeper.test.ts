/** A node says ten minutes ahead that it will hibernate (DESIGN §5), does, and serves again. Time is set by hand. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { parseQuietSpan } from '../../src/share/quiet-hours.ts'
import { openShareKeeper, type ShareKeeper } from '../../src/share/share-keeper.ts'
import type { ShareRules, ShareState } from '../../src/share/share-plan.ts'
import { utc, UTC_CLOCK } from './hand-clock.ts'

const MINUTE_MS = 60_000
const NONE: ShareRules = {
  quietHours: [],
  dailyCapBytes: 0,
  monthlyCapBytes: 0,
  billingDay: 1,
}

type World = {
  /** What the node was told, in order. */
  readonly told: string[]
  readonly states: ShareState[]
  carriedBytes: number
  nowMs: number
  /** Opens it, as at a start of the program. */
  open(rules: Partial<ShareRules>): Promise<ShareKeeper>
}

async function worldAt(t: TestContext, time: string): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'byway-share-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const told: string[] = []
  const world: World = {
    told,
    states: [],
    carriedBytes: 0,
    nowMs: utc(time),
    open: (rules) =>
      openShareKeeper({
        home,
        rules: { ...NONE, ...rules },
        node: {
          get carriedBytes() {
            return world.carriedBytes
          },
          serving: {
            announceDrain: (seconds) => void told.push(`drain ${seconds}`),
            hibernate: () => void told.push('hibernate'),
            resume: () => void told.push('resume'),
          },
        },
        clock: UTC_CLOCK,
        nowMs: () => world.nowMs,
        onChange: (state) => void world.states.push(state),
      }),
  }
  return world
}

const EVENINGS = [parseQuietSpan('18:00-23:00')].flatMap((span) => span ?? [])

suite('quiet hours of a node', () => {
  test('are announced ten minutes ahead, kept, and over when they are over', async (t) => {
    const world = await worldAt(t, '2026-11-20 17:49:55')
    await using keeper = await world.open({ quietHours: EVENINGS })
    assert.deepEqual([keeper.state.state, world.told], ['open', []])
    const at = async (time: string): Promise<readonly string[]> => {
      world.nowMs = utc(time)
      await keeper.look()
      return world.told.splice(0)
    }
    assert.deepEqual(await at('2026-11-20 17:50:00'), ['drain 600'])
    assert.deepEqual(await at('2026-11-20 17:55:00'), [])
    assert.deepEqual(await at('2026-11-20 17:59:59'), [])
    assert.deepEqual(await at('2026-11-20 18:00:00'), ['hibernate'])
    assert.deepEqual(await at('2026-11-20 22:59:59'), [])
    assert.deepEqual(await at('2026-11-20 23:00:00'), ['resume'])
    assert.deepEqual(
      world.states.map((each) => [each.state, 'untilMs' in each ? each.untilMs : undefined]),
      [
        ['draining', utc('2026-11-20 18:00')],
        ['hibernating', utc('2026-11-20 23:00')],
        ['open', undefined],
      ],
    )
  })

  test('that have begun when it starts are kept at once', async (t) => {
    const world = await worldAt(t, '2026-11-20 20:00')
    await using keeper = await world.open({ quietHours: EVENINGS })
    assert.deepEqual([keeper.state.state, world.told], ['hibernating', ['drain 0', 'hibernate']])
  })

  test('are announced with what is left when it starts within the ten minutes', async (t) => {
    const world = await worldAt(t, '2026-11-20 17:57')
    await using keeper = await world.open({ quietHours: EVENINGS })
    assert.deepEqual([keeper.state.state, world.told], ['draining', ['drain 180']])
  })
})

suite('caps of a node', () => {
  /** A minute in which so much is carried. */
  async function minute(world: World, keeper: ShareKeeper, bytes: number): Promise<void> {
    world.nowMs += MINUTE_MS
    world.carriedBytes += bytes
    await keeper.look()
  }

  test('are announced when what the last ten minutes carried would use them up', async (t) => {
    const world = await worldAt(t, '2026-11-20 12:00')
    await using keeper = await world.open({ dailyCapBytes: 2500 })
    for (let minutes = 1; minutes < 15; minutes++) {
      await minute(world, keeper, 100)
      assert.equal(keeper.state.state, 'open', `minute ${minutes}`)
    }
    await minute(world, keeper, 100)
    assert.deepEqual(world.told.splice(0), ['drain 600'], '1000 are left, 1000 came in ten minutes')
    for (let minutes = 0; minutes < 9; minutes++) await minute(world, keeper, 10)
    assert.deepEqual(world.told, [])
    await minute(world, keeper, 10)
    assert.deepEqual(world.told.splice(0), ['hibernate'], 'what is left of it is left')
    assert.deepEqual(keeper.state, {
      state: 'hibernating',
      reason: 'daily-cap',
      untilMs: utc('2026-11-21 00:00'),
    })
    await minute(world, keeper, 0)
    world.nowMs = utc('2026-11-21 00:00')
    await keeper.look()
    assert.deepEqual(world.told, ['resume'])
    assert.equal(keeper.carried.dayBytes, 0)
  })

  test('that are used up sooner end service at once', async (t) => {
    const world = await worldAt(t, '2026-11-20 12:00')
    await using keeper = await world.open({ monthlyCapBytes: 1000, billingDay: 15 })
    await minute(world, keeper, 400)
    await minute(world, keeper, 200)
    assert.deepEqual(world.told.splice(0), ['drain 600'])
    await minute(world, keeper, 400)
    assert.deepEqual(world.told, ['hibernate'])
    assert.deepEqual(keeper.state, {
      state: 'hibernating',
      reason: 'monthly-cap',
      untilMs: utc('2026-12-15 00:00'),
    })
  })

  test('outlive fifty restarts to the byte; a month begins on the billing day', async (t) => {
    const world = await worldAt(t, '2026-11-14 23:00')
    for (let start = 0; start < 50; start++) {
      await using keeper = await world.open({ monthlyCapBytes: 1e9, billingDay: 15 })
      await minute(world, keeper, 7)
      // Each program counts from nothing.
      if (start < 49) world.carriedBytes = 0
    }
    await using keeper = await world.open({ monthlyCapBytes: 1e9, billingDay: 15 })
    assert.equal(keeper.carried.monthBytes, 350)
    world.nowMs = utc('2026-11-15 00:00')
    await keeper.look()
    assert.equal(keeper.carried.monthBytes, 0)
    assert.equal(keeper.carried.monthStartMs, utc('2026-11-15 00:00'))
  })

  test('a file that somebody has spoiled counts as nothing', async (t) => {
    const world = await worldAt(t, '2026-11-20 12:00')
    const home = await mkdtemp(join(tmpdir(), 'byway-share-'))
    t.after(() => rm(home, { recursive: true, force: true }))
    for (const text of [
      'no json',
      '{"dayBytes":-1,"monthBytes":0,"dayStartMs":0,"monthStartMs":0}',
      '[]',
    ]) {
      await writeFile(join(home, 'share.json'), text, { mode: 0o600 })
      const { carried } = await openShareKeeper({
        home,
        rules: { ...NONE, dailyCapBytes: 10 },
        node: { carriedBytes: 0, serving: { announceDrain() {}, hibernate() {}, resume() {} } },
        clock: UTC_CLOCK,
        nowMs: () => world.nowMs,
        onChange: () => {},
      })
      assert.equal(carried.dayBytes, 0, text)
    }
  })
})
