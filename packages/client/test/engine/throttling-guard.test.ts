/** A guard that slows circuits down which do not end at its friends gains nothing by it (THREAT-MODEL T7, ADR-0048): what is measured of an exit is not the word of one guard. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { lyingWorld } from './lying-guard-world.ts'
import { isTheirs, playMeasured, type MeasuredWorld, type Played } from './measured-world.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8] as const
/** A fifth of all nodes are the party's; three standard deviations of a draw of 1600 are three points, and measurements that differ give it two. */
const MOST = 0.25
/** As much as one measurement of a line differs from the next. */
const NOISE = 0.5
const WEEK_MS = 7 * 86_400_000
const [HOSTILE_GUARD, SECOND, THIRD] = [0, 50, 51] as const
const GUARDS = [HOSTILE_GUARD, SECOND, THIRD] as const

/** Lets this part through to exits that are not the party's. */
const slowing =
  (part: number): NonNullable<MeasuredWorld['lets']> =>
  (hop, exit) =>
    isTheirs(hop) && !isTheirs(exit) ? part : 1

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length

function play(world: Omit<MeasuredWorld, 'seed'>) {
  const all = SEEDS.map((seed) => playMeasured({ noise: NOISE, ...world, seed }))
  const of = (figure: (played: Played) => number): number => mean(all.map(figure))
  return {
    all,
    first: of(({ firstShare }) => firstShare),
    last: of(({ lastShare }) => lastShare),
    lines: of(({ lastLine }) => lastLine),
    through: (guard: number) => of(({ through }) => through.get(guard) ?? 0),
  }
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`

function told({ first, last, through }: ReturnType<typeof play>): string {
  return `${percent(first)} of the first 200 circuits and ${percent(last)} of the last 200 of 1000 end at theirs, ${Math.round(through(HOSTILE_GUARD))} through the first guard, seeds ${SEEDS.join(', ')}`
}

suite(
  'a first guard that slows down what does not end at its friends, a fifth of all nodes',
  () => {
    for (const part of [0.7, 0.5, 0.2, 0.05]) {
      for (const spread of [0, 1]) {
        const lines = spread === 0 ? 'lines that are alike' : 'lines that differ'
        test(`to ${part}, over ${lines}: they get no more than their weight`, (t) => {
          const outcome = play({ guards: GUARDS, lets: slowing(part), spread })
          t.diagnostic(told(outcome))
          assert.ok(outcome.first < MOST, told(outcome))
          assert.ok(outcome.last < MOST, told(outcome))
        })
      }
    }

    test('only to the ten exits that are its rivals: they get no more', (t) => {
      const isRival = (exit: number): boolean => exit >= 80 && exit < 90
      const lets = (guard: number, exit: number): number =>
        isTheirs(guard) && isRival(exit) ? 0.05 : 1
      const outcome = play({ guards: GUARDS, lets })
      t.diagnostic(told(outcome))
      assert.ok(outcome.last < MOST, told(outcome))
    })

    test('to a fifth, for a week: they get no more', (t) => {
      const outcome = play({ guards: GUARDS, lets: slowing(0.2), eachMs: WEEK_MS / 1000 })
      t.diagnostic(told(outcome))
      assert.ok(outcome.last < MOST, told(outcome))
    })

    test('to a tenth: is used last, and the user is told once', () => {
      const { all } = play({ guards: GUARDS, lets: slowing(0.1) })
      for (const { warnings, through } of all) {
        assert.deepEqual(warnings, [
          'clearly less comes through one guard than through another: it is used last',
        ])
        assert.ok((through.get(HOSTILE_GUARD) ?? 0) < 500)
      }
    })

    test('from the second place, where it sees what is checked: they get no more', (t) => {
      const guards = [SECOND, HOSTILE_GUARD, THIRD]
      for (const spread of [0, 1]) {
        const outcome = play({ guards, lets: slowing(0.2), spread })
        t.diagnostic(told(outcome))
        assert.ok(outcome.last < MOST, told(outcome))
      }
    })

    test('and the one beside it too: a limit that is known (THREAT-MODEL T7)', (t) => {
      const outcome = play({ guards: [HOSTILE_GUARD, 1, THIRD], lets: slowing(0.2) })
      t.diagnostic(told(outcome))
      assert.ok(outcome.last > 0.25 && outcome.last < 0.4, told(outcome))
    })
  },
)

suite('honest guards', () => {
  test('show which exits are fast: these are drawn more, as before', (t) => {
    const outcome = play({ guards: [60, SECOND, THIRD], spread: 1 })
    const usual = Math.exp(0.5)
    t.diagnostic(
      `the lines of the last 200 exits are ${(outcome.lines / usual).toFixed(2)} times the mean one`,
    )
    assert.ok(outcome.lines > 1.3 * usual, `${outcome.lines}`)
  })

  test('are used in their order but for one circuit in eight, and nobody is warned of', (t) => {
    const outcome = play({ guards: [60, SECOND, THIRD], spread: 1 })
    const [first, second, third] = [60, SECOND, THIRD].map(outcome.through)
    t.diagnostic(`${first} through the first, ${second} through the second, seeds ${SEEDS.join()}`)
    assert.ok(Math.abs(second! - 125) < 20, `${second}`)
    assert.equal(third, 0)
    assert.ok(outcome.all.every(({ warnings }) => warnings.length === 0))
  })

  test('before middles that slow down what does not end at their friends: they get no more', (t) => {
    const outcome = play({ guards: [60, SECOND, THIRD], hops: 3, lets: slowing(0.2) })
    t.diagnostic(told(outcome))
    assert.ok(outcome.last < MOST, told(outcome))
  })

  test('of which one has a slow line: it is used last, since the others give more over the same time', () => {
    const lets = (guard: number): number => (guard === 60 ? 0.1 : 1)
    const { all } = play({ guards: [60, SECOND, THIRD], lets })
    for (const { warnings, through } of all) {
      assert.equal(warnings.length, 1)
      assert.ok((through.get(60) ?? 0) < 500)
    }
  })
})

suite('a client that measures', () => {
  const entriesOf = async (exit?: number): Promise<readonly (number | undefined)[]> => {
    const world = lyingWorld({ guards: [60, 50, 51], measuring: [60, 50], seed: SEEDS[0] })
    const entries: (number | undefined)[] = []
    for (let circuit = 0; circuit < 400; circuit++)
      entries.push((await world.build(10_000, exit))?.[0])
    return entries
  }

  test('builds one circuit in eight behind the second guard, and none behind one to which it has no link', async () => {
    const entries = await entriesOf()
    const beside = entries.filter((number) => number === 50).length
    // Three standard deviations of one in eight of four hundred.
    assert.ok(Math.abs(beside - 50) < 20, `${beside}, seed ${SEEDS[0]}`)
    assert.equal(entries.filter((number) => number === 60).length, 400 - beside)
  })

  test('builds those to an exit that somebody named behind the first', async () => {
    assert.ok((await entriesOf(70)).every((number) => number === 60))
  })
})
