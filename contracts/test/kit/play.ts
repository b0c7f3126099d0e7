/**
 * Random play against one pool: two honest clients and two that cheat share the moves with providers, a reporter, a thief and a redeemer. After every move the books must
 * balance to the last unit, and every slot must have moved along an arrow of SPEC §14.2.
 */
import assert from 'node:assert/strict'
import { bywayPoolArtifact } from '@byway/chain'
import { eventsOf, type Receipt, RevertedError } from './rpc.ts'
import { decodeWord, type Word } from './scene.ts'
import { poolProbeArtifact } from '../artifacts/pool-probe.ts'
import { type Board, HEIR, type Move, THIEF } from './board.ts'
import { MOVES } from './moves.ts'

/** What a move may be told. Anything else, a panic above all, is a fault of the contract. */
const REFUSALS = new Set(
  'NoConflict BondGone NothingDue NotRegistered NotActive TooLate WrongState'.split(' '),
)

/** Arrows of SPEC §14.2; a lapsed lock may be noticed and left in one move. */
const FROM_UNUSED = ['LAPSED', 'BOUND', 'REFUNDING', 'WITHDRAWING']
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  NONE: ['LOCKED', ...FROM_UNUSED.slice(1)],
  LOCKED: FROM_UNUSED,
  LAPSED: FROM_UNUSED.slice(1),
  BOUND: ['CLOSING'],
  CLOSING: ['CLOSED'],
  REFUNDING: ['BOUND', 'REFUNDED'],
  WITHDRAWING: ['BOUND', 'WITHDRAWN'],
}
/** Of a rest: nobody binds it, and a lock on it counts for nothing (SPEC §14.4). */
const REST_ARROWS: Readonly<Record<string, readonly string[]>> = {
  NONE: ['LOCKED', 'WITHDRAWING', 'REFUNDED'],
  LOCKED: ['LAPSED', 'WITHDRAWING', 'REFUNDED'],
  LAPSED: ['WITHDRAWING', 'REFUNDED'],
  WITHDRAWING: ['WITHDRAWN'],
}
const FINISHED = new Set(['CLOSED', 'REFUNDED', 'WITHDRAWN'])
const UNTOUCHED = new Set(['NONE', 'LOCKED', 'LAPSED'])

/** What the chain says. */
type Read = {
  readonly words: readonly Word[]
  readonly credits: readonly bigint[]
  /** Of each provider's wins, in the pool. */
  readonly heldBack: readonly bigint[]
  readonly unburned: bigint
  readonly held: bigint
  readonly stolen: bigint
}

/** What was seen of one play, to compare the next position with. */
export type Position = Read & {
  /** Wins paid, per provider, since its last payout. */
  readonly unpaid: Map<string, bigint>
  readonly wins: Map<bigint, number>
  /** In leaves that the contract made of what came back. */
  rest: bigint
}

export async function startPosition(board: Board): Promise<Position> {
  return { ...(await read(board)), unpaid: new Map(), wins: new Map(), rest: 0n }
}

/** Makes a move and checks everything. Gives the new position. */
export async function play(board: Board, before: Position, move: Move): Promise<Position> {
  const receipt = await attempt(board, move)
  if (receipt) noteEvents(board, before, receipt)
  const after = { ...before, ...(await read(board)) }
  after.words.forEach((word, i) => {
    const isRest = i >= board.pieces.length
    checkStep(board, before.words[i] ?? assert.fail(), word, isRest ? REST_ARROWS : ARROWS)
  })
  checkBooks(board, after)
  assert.equal(after.stolen, 0n, 'the thief has nothing')
  return after
}

async function attempt(board: Board, move: Move): Promise<Receipt | undefined> {
  try {
    return await (MOVES[move.kind] ?? assert.fail(move.kind))(board, move)
  } catch (error) {
    if (error instanceof RevertedError && REFUSALS.has(error.reason)) return undefined
    throw error
  }
}

async function read({ scene, pieces, rests, providers, probe }: Board): Promise<Read> {
  const { pool, token, rpc } = scene.world
  const slots = pieces.map(({ faces: [{ nullifier }] }) => nullifier)
  const nullifiers = [...slots, ...rests.map(({ nullifier }) => nullifier)]
  const named = providers.map(({ address }) => address)
  const args = [pool, token, nullifiers, named, [pool, THIEF.address]]
  const call = { abi: poolProbeArtifact.abi, to: probe, name: 'position', args }
  const [words, credits, heldBack, [held = 0n, stolen = 0n], unburned] = (await rpc.read(call)) as [
    readonly bigint[],
    readonly bigint[],
    readonly bigint[],
    readonly bigint[],
    bigint,
  ]
  return { words: words.map(decodeWord), credits, heldBack, held, stolen, unburned }
}

function noteEvents({ scene }: Board, position: Position, receipt: Receipt): void {
  for (const { eventName, args } of eventsOf(bywayPoolArtifact.abi, receipt)) {
    const provider = String(args['provider'])
    const nullifier = args['nullifier'] as bigint
    if (eventName === 'Won') {
      position.unpaid.set(provider, (position.unpaid.get(provider) ?? 0n) + 1n)
      position.wins.set(nullifier, (position.wins.get(nullifier) ?? 0) + 1)
      assert.equal(args['wins'], position.wins.get(nullifier), 'wins are counted one by one')
      assert.ok(Number(args['wins']) <= scene.world.profile.winsPerSlot, 'at most K are paid')
    }
    if (eventName === 'PaidOut') position.unpaid.delete(provider)
    if (eventName === 'Inserted') {
      assert.equal(args['idc'], HEIR, 'nothing goes elsewhere than the session key said')
      position.rest += BigInt(Number(args['limit'])) * scene.world.profile.unit
    }
  }
}

function checkStep(
  { scene }: Board,
  before: Word,
  after: Word,
  arrows: Readonly<Record<string, readonly string[]>>,
): void {
  const { refundDelay, closeDelay } = scene.world.profile
  const step = `${before.state} → ${after.state}`
  assert.ok(after.isBurned || !before.isBurned, 'a burned bond stays burned')
  if (before.state === after.state) {
    if (before.state === 'BOUND' || before.state === 'CLOSING')
      assert.equal(after.holder, before.holder, 'the first bind is final')
    if (before.state === 'REFUNDING' && before.holder !== after.holder)
      assert.ok(after.time >= before.time + scene.world.profile.refundDelay, 'elsewhere too early')
    if (before.wins !== after.wins) assert.ok(after.lastIndex > before.lastIndex, 'indices rise')
    return
  }
  assert.ok(arrows[before.state]?.includes(after.state), step)
  if (before.state === 'BOUND') assert.equal(after.holder, before.holder, step)
  const isJoined = arrows === REST_ARROWS && after.state === 'REFUNDED'
  if (FINISHED.has(after.state) && !isJoined) {
    const delay = after.state === 'CLOSED' ? closeDelay : refundDelay
    assert.ok(after.time - before.time >= delay, `${step} before its time`)
  }
}

/** What the pool holds is what it owes, to the last unit. */
function checkBooks(
  { scene, deposited, pieces, rests, providers }: Board,
  position: Position,
): void {
  const { winValue, winsPerSlot, bond, unit, feeBps } = scene.world.profile
  const burnedPerWin = (winValue * BigInt(feeBps)) / 10_000n
  let owed = deposited + position.rest + position.unburned
  for (const [i, { units }] of rests.entries()) {
    // What is joined is in the leaf that was made of it, less the fee.
    const state = position.words[pieces.length + i]?.state ?? ''
    if (FINISHED.has(state)) owed -= BigInt(units) * unit
  }
  for (const word of position.words.slice(0, pieces.length)) {
    if (word.isBurned) owed -= bond
    if (UNTOUCHED.has(word.state)) continue
    owed -= BigInt(word.wins) * winValue
    if (FINISHED.has(word.state))
      owed -= BigInt(winsPerSlot - word.wins) * winValue + (word.isBurned ? 0n : bond)
  }
  for (const [i, { address }] of providers.entries()) {
    owed += (position.credits[i] ?? 0n) + (position.heldBack[i] ?? 0n)
    owed += (position.unpaid.get(address) ?? 0n) * burnedPerWin
  }
  assert.equal(position.held, owed, 'the pool holds what it owes')
}
