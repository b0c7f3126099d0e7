/** The moves of random play: what anybody may try on the pool. */
import assert from 'node:assert/strict'
import type { Address, Hex } from 'viem'
import { BIND_KIND, CLAIM_KIND } from './bytes.ts'
import { type Key } from './keys.ts'
import { type Receipt } from './rpc.ts'
import { claimBytes, lockBytes, slotsBytes } from './batches.ts'
import { NO_TERMS, type Slot, type Ticket } from './slots.ts'
import { CLAIMED } from './service.ts'
import {
  type Board,
  feeTo,
  HEIR,
  type Move,
  type Piece,
  receiver,
  REDEEMER,
  REPORTER,
  THIEF,
} from './board.ts'

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
/** Where its owner sends the slot. */
const refundOf = (board: Board, move: Move) => board.scene.client.refund(faceOf(board, move), HEIR)
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
  refund: (board, move) => send(board, senderOf(board, move), 'refund', [refundOf(board, move)]),
  refundAgain: (board, move) =>
    send(board, senderOf(board, move), 'refund', [
      board.scene.client.refund(faceOf(board, move), HEIR, REDEEMER, move.index),
    ]),
  refundStolen: (board, move) =>
    send(board, THIEF.address, 'refund', [
      { ...refundOf(board, move), idc: 666n },
      { ...refundOf(board, move), proof: faceOf(board, move).opening.proof },
    ]),
  finishRefund: (board, move) =>
    send(board, senderOf(board, move), 'finishRefund', [
      { ...refundOf(board, move), idc: 666n },
      refundOf(board, move),
    ]),
  finishRefundAgain: (board, move) =>
    send(board, senderOf(board, move), 'finishRefund', [
      { ...refundOf(board, move), feeTo: THIEF.address },
      { ...refundOf(board, move), feeTo: REDEEMER },
    ]),
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
