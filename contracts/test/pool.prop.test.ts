import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { type Board, type Move, setUpBoard } from './kit/board.ts'
import { MOVES } from './kit/moves.ts'
import { play, type Position, startPosition } from './kit/play.ts'
import { startScene } from './kit/scene.ts'
import { PROFILE } from './kit/world.ts'

const isSlow = process.env['SLOW'] === '1'
const RUNS = isSlow ? 1000 : 20
const LONGEST = isSlow ? 100 : 60

// Leaves count in a fifth of the bond, as the start values have it.
const scene = await startScene({ profile: { unit: PROFILE.bond / 5n } })
after(() => scene[Symbol.asyncDispose]())
const { rpc } = scene.world
const board = await setUpBoard(scene)

/** What leads somewhere only after something else. */
const OFTEN = [
  'lock',
  'bind',
  'claim',
  'claim',
  'close',
  'finishClose',
  'finishRefund',
  'join',
  'withdrawPart',
  'pass',
  'pass',
]

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom(...Object.keys(MOVES), ...OFTEN),
  slot: fc.nat({ max: board.pieces.length - 1 }),
  session: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constant(1)),
  provider: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat({ max: 2 })),
  index: fc.nat({ max: 5 }),
  sender: fc.nat({ max: 4 }),
})

test('whatever anyone does, the books balance and every owner gets the rest of every slot back (SPEC §14)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 30, maxLength: LONGEST }), async (moves) => {
      await rpc.undoing(async () => {
        let position = await startPosition(board)
        for (const each of moves) position = await play(board, position, each)
        await takeEverythingBack(board, position)
      })
    }),
    { numRuns: RUNS },
  )
})

/** The owners ask for all that is left: nothing that was played can stop them. */
async function takeEverythingBack(all: Board, from: Position): Promise<void> {
  let position = from
  const each = async (kinds: readonly string[]) => {
    for (let slot = 0; slot < all.pieces.length; slot++)
      for (const kind of kinds)
        for (const [session, provider] of [0, 1].flatMap((s) => [0, 1, 2].map((p) => [s, p]))) {
          const state = position.words[slot]?.state ?? ''
          if (!WANTS[kind]?.includes(state)) continue
          const next = {
            kind,
            slot,
            session: session ?? 0,
            provider: provider ?? 0,
            index: 0,
            sender: 1,
          }
          position = await play(all, position, next)
        }
  }
  const once = async (kind: string, slot: number) => {
    position = await play(all, position, { kind, slot, ...BY_OWNER })
  }
  await rpc.pass(3600)
  await once('join', 0)
  await once('withdrawPart', 0)
  await each(['withdraw', 'close'])
  await rpc.pass(72 * 3600)
  await each(['finishRefund', 'finishRefundAgain', 'finishWithdraw', 'finishClose'])
  for (let rest = 0; rest < all.rests.length; rest++) await once('finishRest', rest)
  for (const [i, { state }] of position.words.entries())
    assert.ok(['REFUNDED', 'WITHDRAWN', 'CLOSED'].includes(state), `slot ${i} is still ${state}`)
}

const BY_OWNER = { session: 0, provider: 0, index: 0, sender: 1 } as const

const WANTS: Readonly<Record<string, readonly string[]>> = {
  withdraw: ['NONE', 'LOCKED', 'LAPSED'],
  close: ['BOUND'],
  finishRefund: ['REFUNDING'],
  finishRefundAgain: ['REFUNDING'],
  finishWithdraw: ['WITHDRAWING'],
  finishClose: ['CLOSING'],
}
