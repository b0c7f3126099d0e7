import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { startScene } from './kit/scene.ts'
import { type Kind, type Move, MOVES, play, setUpTable, startSeen } from './kit/service-play.ts'

const isSlow = process.env['SLOW'] === '1'
const RUNS = isSlow ? 500 : 15

const scene = await startScene()
after(() => scene[Symbol.asyncDispose]())
const table = await setUpTable(scene)

/** The way of an epoch: what comes of it needs what was before. */
const WAY = [
  'win',
  'turn',
  'commit',
  'draw',
  'challenge',
  'answer',
  'wait',
  'slash',
  'close',
  'settle',
] as const

const kind = fc.constantFrom(...(Object.keys(MOVES) as Kind[]))
const move: fc.Arbitrary<Move> = fc.record({
  kind: kind.filter((each) => each !== 'turn'),
  provider: fc.nat({ max: 2 }),
  back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 2 })),
  sender: fc.nat({ max: 4 }),
})
/** In that order for one provider, some steps left out, something else between. */
const way: fc.Arbitrary<readonly Move[]> = fc
  .record({
    provider: fc.nat({ max: 2 }),
    without: fc.nat({ max: WAY.length * 2 }),
    between: fc.array(fc.tuple(fc.nat({ max: WAY.length }), move), { maxLength: 4 }),
  })
  .map(({ provider, without, between }) =>
    WAY.flatMap((step, i): readonly Move[] => {
      const others = between.flatMap(([place, each]) => (place === i ? [each] : []))
      return i === without ? others : [{ kind: step, provider, back: 0, sender: 1 }, ...others]
    }),
  )

test('whatever anyone does, what was held back is paid or burned, and only the silent lose a stake (SPEC §17.5)', async () => {
  const met = { released: 0, burned: 0, slashed: 0, lostBonds: 0, fees: 0 }
  const ways = fc.array(way, { minLength: 2, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(ways, async (moves) => {
      await scene.world.rpc.undoing(async () => {
        const seen = startSeen()
        for (const each of moves.flat()) await play(table, seen, each)
        met.released += Number(seen.released > 0n)
        met.burned += Number(seen.burned > 0n)
        met.slashed += seen.slashed.size
        met.lostBonds += Number(seen.lostBonds > 0n)
        met.fees += Number(seen.fees > 0n)
      })
    }),
    { numRuns: RUNS },
  )
  // Plays in which nothing happens show nothing; a few may miss something.
  if (isSlow) for (const [what, count] of Object.entries(met)) assert.ok(count > 0, what)
})
