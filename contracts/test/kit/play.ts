/**
 * Random play against one pool: two honest clients and two that cheat share the moves with providers, a reporter, a thief and a redeemer. After every move the books must
 * balance to the last unit, and every slot must have moved along an arrow of SPEC §14.2.
 */
import assert from 'node:assert/strict'
import { bywayPoolArtifact } from '@byway/chain'
import type { Address, Hex } from 'viem'
import { BIND_KIND, CLAIM_KIND, openingX } from './bytes.ts'
import { type Key, keyOf } from './keys.ts'
import { eventsOf, type Receipt, RevertedError } from './rpc.ts'
import { claimBytes, lockBytes, slotsBytes } from './batches.ts'
import { decodeWord, type Scene, type Word } from './scene.ts'
import { poolProbeArtifact } from '../artifacts/pool-probe.ts'
import { DEPLOYER, unitsPerSlotOf } from './world.ts'
import { createLeafProver, type Joining, type Part } from './leaf-proofs.ts'
import { type Leaf, NO_TERMS, type Slot, type Ticket, type Unused } from './slots.ts'
import { CLAIMED } from './service.ts'

/** One move. Numbers choose among what there is; each kind uses those that it needs. */
export type Move = {
  readonly kind: string
  readonly slot: number
  readonly session: number
  readonly provider: number
  readonly index: number
  readonly sender: number
}

/** A slot as its owner and others may play it: under either of two session keys. */
type Piece = {
  readonly faces: readonly [Slot, Slot]
  readonly unused: Unused
  readonly conflicting: readonly [object, object]
}

/** What makes no slot, under its nullifier. */
type Rest = { readonly nullifier: bigint; readonly units: number }

export type Board = {
  readonly scene: Scene
  readonly pieces: readonly Piece[]
  readonly providers: readonly Key[]
  /** Of what makes no slot: small leaves and the end of one. Their words stand behind those of the pieces. */
  readonly rests: readonly Rest[]
  /** Makes one leaf of the small ones. */
  readonly joining: Joining
  /** A slot and the rest of its leaf, never shown. */
  readonly part: Part
  /** All that the pool holds at the start. */
  readonly deposited: bigint
  /** Reads a position in one call. */
  readonly probe: Address
}

const THIEF = keyOf('thief')
const REPORTER = keyOf('reporter').address
const REDEEMER = keyOf('redeemer').address
const HEIR = 4242n
/** Of `withdrawPart`, which pays for itself. */
const feeTo = REDEEMER
const receiver = keyOf('receiver').address

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

/** Deposits, providers, openings: the same at the start of every play. */
export async function setUpBoard(scene: Scene): Promise<Board> {
  const { client, payer, world } = scene
  const providers = [await scene.provider('p0'), await scene.provider('p1'), keyOf('unregistered')]
  const unitsPerSlot = unitsPerSlotOf(world.profile)
  const small = await smallLeaves(scene)
  const other = await client.deposit(payer, 'other', unitsPerSlot + REST_UNITS)
  const leaves = [
    await client.deposit(payer, 'one', 2 * unitsPerSlot),
    other,
    await client.deposit(payer, 'third', unitsPerSlot),
  ]
  await client.snapshot(payer)
  using prover = createLeafProver(client, BigInt(unitsPerSlot))
  const joining = await prover.join(small, HEIR, REDEEMER)
  const part = await prover.part(other, [0], true, { to: receiver, feeTo })
  const rests = [
    ...small.map(({ limit }, i) => ({ nullifier: joining.rests[i] ?? 0n, units: limit })),
    { nullifier: part.rest, units: REST_UNITS },
  ]
  const pieces = leaves.flatMap((leaf) =>
    Array.from({ length: Math.floor(leaf.limit / unitsPerSlot) }, (_, j): Piece => {
      const faces = [
        client.open(leaf, j),
        client.open(leaf, j, `${leaf.index} ${j} again`),
      ] as const
      const [first, second] = faces.map(({ opening }) => ({
        root: opening.root,
        x: openingX(opening.sessionKey, opening.receiptKey),
        proof: opening.proof,
      }))
      const conflicting = [first ?? {}, second ?? {}] as const
      return { faces, unused: client.unused(leaf, j, receiver), conflicting }
    }),
  )
  const probe = await world.rpc.deploy(DEPLOYER, poolProbeArtifact, [])
  const deposited = await world.balance(world.pool)
  return { scene, pieces, providers, rests, joining, part, deposited, probe }
}

/** At the end of a leaf. */
const REST_UNITS = 15

/** Slots that came back through a relayer: each a unit too small to be shown. */
async function smallLeaves(scene: Scene): Promise<readonly Leaf[]> {
  const { client, payer, world } = scene
  const back = await scene.slots('came back', 2)
  const owners = back.map((_, i) => keyOf(`owner of small ${i}`))
  const to = owners.map((owner, i) =>
    client.destination(back[i] ?? assert.fail(), client.idcOf(owner), REDEEMER),
  )
  const openings = back.map(({ opening }) => opening)
  await world.sendPool(payer, 'refund', openings, to)
  await world.rpc.pass(world.profile.refundDelay)
  const leaves: Leaf[] = []
  for (const [i, owner] of owners.entries()) {
    const named = [[back[i]?.nullifier], [to[i]]]
    const receipt = await world.sendPool(payer, 'finishRefund', ...named)
    const limit = client.noteInserted(receipt, client.idcOf(owner))
    leaves.push({ owner, limit, index: client.tree.size - 1 })
  }
  return leaves
}

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

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length] ?? assert.fail()
const pieceOf = (board: Board, { slot }: Move): Piece => pick(board.pieces, slot)
const faceOf = (board: Board, move: Move): Slot => pick(pieceOf(board, move).faces, move.session)
const providerOf = (board: Board, { provider }: Move): Key => pick(board.providers, provider)
const senderOf = (board: Board, { sender }: Move): Address =>
  pick([THIEF.address, board.scene.payer, ...board.providers.map((key) => key.address)], sender)
const namedOf = (board: Board, move: Move) => {
  const { nullifier, session } = faceOf(board, move)
  return { nullifier, provider: providerOf(board, move).address, sessionKey: session.address }
}
/** With an amount of V every ticket wins. */
const ticketOf = (board: Board, move: Move): Ticket & { readonly digest: Hex } =>
  board.scene.client.draw(
    faceOf(board, move),
    providerOf(board, move).address,
    move.index,
    board.scene.world.profile.winValue,
    0,
  )
const backOf = (board: Board, move: Move) =>
  board.scene.client.destination(faceOf(board, move), HEIR)
const send = (board: Board, from: Address, name: string, ...args: readonly unknown[]) =>
  board.scene.world.sendPool(from, name, ...args)

type Play = (board: Board, move: Move) => Promise<Receipt | undefined>

/** All moves by name. */
export const MOVES: Readonly<Record<string, Play>> = {
  lock: (board, move) => {
    const provider = providerOf(board, move)
    return board.scene.lock(provider, [faceOf(board, move)])
  },
  bind: (board, move) => {
    const win = [faceOf(board, move), ticketOf(board, move)] as const
    return board.scene.bind(providerOf(board, move), [win, win], senderOf(board, move))
  },
  bindForFee: async (board, move) => {
    const [provider, ticket] = [providerOf(board, move), ticketOf(board, move)]
    const fee = board.scene.world.profile.winValue / 10n
    const terms = await board.scene.terms(provider, BIND_KIND, [ticket.digest], fee)
    const { opening } = faceOf(board, move)
    const batch = { provider: provider.address, openings: [opening], tickets: [ticket], terms }
    return send(board, REDEEMER, 'bind', [batch])
  },
  bindCopied: (board, move) => {
    const batch = {
      provider: THIEF.address,
      openings: [faceOf(board, move).opening],
      tickets: [ticketOf(board, move)],
      terms: NO_TERMS,
    }
    return send(board, THIEF.address, 'bind', [batch])
  },
  claim: async (board, move) => {
    const provider = providerOf(board, move)
    const wins = [0, 1].map(
      (step) =>
        [faceOf(board, move), ticketOf(board, { ...move, index: move.index + step })] as const,
    )
    const terms = await board.scene.terms(provider, CLAIM_KIND, [slotsBytes(wins)], 0n)
    const packed = claimBytes(wins, provider, terms)
    return send(board, senderOf(board, move), 'claimMore', packed)
  },
  refund: (board, move) =>
    send(
      board,
      senderOf(board, move),
      'refund',
      [faceOf(board, move).opening],
      [backOf(board, move)],
    ),
  refundStolen: (board, move) =>
    send(
      board,
      THIEF.address,
      'refund',
      [faceOf(board, move).opening],
      [{ ...backOf(board, move), idc: 666n }],
    ),
  finishRefund: (board, move) => {
    const { nullifier } = faceOf(board, move)
    return send(board, senderOf(board, move), 'finishRefund', [nullifier], [backOf(board, move)])
  },
  close: (board, move) =>
    send(board, senderOf(board, move), 'close', [namedOf(board, move)], [backOf(board, move)]),
  finishClose: (board, move) =>
    send(
      board,
      senderOf(board, move),
      'finishClose',
      [namedOf(board, move)],
      [backOf(board, move)],
    ),
  withdraw: (board, move) =>
    send(board, senderOf(board, move), 'withdrawUnused', [pieceOf(board, move).unused], receiver),
  withdrawStolen: (board, move) =>
    send(board, THIEF.address, 'withdrawUnused', [pieceOf(board, move).unused], THIEF.address),
  finishWithdraw: (board, move) =>
    send(board, senderOf(board, move), 'finishWithdraw', [faceOf(board, move).nullifier]),
  join: (board, move) => send(board, senderOf(board, move), 'join', [board.joining]),
  joinTwice: (board, move) =>
    send(board, senderOf(board, move), 'join', [board.joining, board.joining]),
  joinStolen: (board) => send(board, THIEF.address, 'join', [{ ...board.joining, idc: 666n }]),
  joinLess: (board, { index }) => {
    // One of the two leaves, for the units of both.
    const rests = board.joining.rests.with(index % 2, 0n)
    return send(board, THIEF.address, 'join', [{ ...board.joining, rests }])
  },
  withdrawPart: (board, move) =>
    send(board, senderOf(board, move), 'withdrawPart', [board.part], [{ to: receiver, feeTo }]),
  withdrawPartStolen: (board) => {
    const to = { to: THIEF.address, feeTo: THIEF.address }
    return send(board, THIEF.address, 'withdrawPart', [board.part], [to])
  },
  joinPart: (board) => {
    // The rest of a leaf that holds a slot too, in place of a small leaf.
    const rests = board.joining.rests.with(0, board.part.rest)
    return send(board, THIEF.address, 'join', [{ ...board.joining, rests }])
  },
  lockRest: (board, move) => {
    const { nullifier } = pick(board.rests, move.slot)
    return send(board, providerOf(board, move).address, 'lock', lockBytes([nullifier]))
  },
  finishRest: (board, move) =>
    send(board, senderOf(board, move), 'finishWithdraw', [pick(board.rests, move.slot).nullifier]),
  conflictOpenings: (board, move) =>
    send(
      board,
      REPORTER,
      'conflictOpenings',
      faceOf(board, move).nullifier,
      ...pieceOf(board, move).conflicting,
    ),
  conflictTickets: (board, move) => {
    const tickets = [move, { ...move, provider: move.provider + 1 }].map((each) => {
      const provider = providerOf(board, each).address
      return {
        ...board.scene.client.draw(faceOf(board, each), provider, each.index, 1n, 0),
        provider,
      }
    })
    return send(board, REPORTER, 'conflictTickets', faceOf(board, move).opening, ...tickets)
  },
  settle: (board, move) =>
    send(board, senderOf(board, move), 'settleLocks', [faceOf(board, move).nullifier]),
  payout: (board, move) =>
    send(board, senderOf(board, move), 'payout', providerOf(board, move).address),
  burn: (board, move) => send(board, senderOf(board, move), 'burn'),
  commit: async (board, move) => {
    const { world } = board.scene
    const epoch = Math.floor((await world.rpc.now()) / world.profile.epochDuration) - 1
    const { address } = providerOf(board, move)
    const { root, total, maxUnits } = CLAIMED
    const claimed = world.inProofs('commit', address, epoch, root, total, maxUnits, 0n, '0x')
    return world.rpc.send(address, claimed)
  },
  pass: async (board, { index }) => {
    await board.scene.world.rpc.pass(pick([60, 3600, 12 * 3600, 72 * 3600, 7 * 24 * 3600], index))
    return undefined
  },
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
