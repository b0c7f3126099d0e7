/**
 * Winning tickets on their way to money: received → queued → sent → done, or lapsed, or lost.
 * @module
 */
import type { Condition, Row, StoredRow, Submit } from '../operation.ts'
import { readAll, bytesOf, numberOf, textOf } from './row.ts'

/**
 * `received`: stored, nothing done. `queued`: part of a batch that is being made. `sent`: in a stored transaction or handed to redeemers. `done`: paid, deep enough
 * in the chain. `lapsed`: its time ended before it was claimed. `lost`: it cannot be paid any more; the reason says why.
 */
export type WinnerState = 'received' | 'queued' | 'sent' | 'done' | 'lapsed' | 'lost'

/**
 * Why a winner ended without money. `taken`: another provider bound the slot first. `full`: the slot had paid its wins. `index`: a later win of the slot was paid before.
 * `ended`: the slot was closed or refunded before it was claimed. `refused`: the contract refuses the opening or the ticket for good.
 */
export type LossReason = 'taken' | 'full' | 'index' | 'ended' | 'refused'

/** A winning ticket with all that bind and claim need (SPEC §13.4). It stands alone: nothing else is read to claim it. */
export type Winner = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  readonly index: number
  /** The opening of its slot as it was shown (SPEC §13.2). */
  readonly opening: Uint8Array
  /** To whom the ticket was signed, 20 bytes. */
  readonly provider: Uint8Array
  /** u96. */
  readonly amount: bigint
  /** The client's, 16 bytes. */
  readonly nonce: Uint8Array
  /** Ours, 32 bytes; a secret until the claim is sent. */
  readonly reveal: Uint8Array
  /** The session key's, 65 bytes. */
  readonly signature: Uint8Array
  readonly receivedAtMs: number
}

/** A winner and how far it has come. */
export type StoredWinner = Winner & {
  readonly state: WinnerState
  /** Set in `lapsed` and `lost`. */
  readonly reason: LossReason | undefined
  /** What carries it while `queued` and `sent`: the key of its transaction or hand-over. In `done`: the ledger's id of the payment. */
  readonly carrier: string | undefined
  /** When `state` was reached. */
  readonly changedAtMs: number
}

/** Names a winner. */
export type WinnerId = Pick<Winner, 'nullifier' | 'index'>

/** A step of a winner. */
export type WinnerStep = {
  readonly id: WinnerId
  /** It is done only from one of these. */
  readonly from: readonly WinnerState[]
  readonly to: WinnerState
  readonly reason?: LossReason
  readonly carrier?: string
  readonly atMs: number
}

export interface WinnerRecords {
  /** Stores a fresh winner as `received`. A second call with the same slot and index changes nothing and says `known`. */
  add(winner: Winner): Promise<'new' | 'known'>
  get(id: WinnerId): Promise<StoredWinner | undefined>
  /** Takes a step; false when the winner is in none of the `from` states, and nothing changed. */
  move(step: WinnerStep): Promise<boolean>
  /** Those in any of the states, in the order in which they arrived. */
  list(states: readonly WinnerState[]): Promise<readonly StoredWinner[]>
  /** Those of a slot, whatever their state. */
  ofSlot(nullifier: Uint8Array): Promise<readonly StoredWinner[]>
}

const TABLE = 'winner'

export function createWinnerRecords(submit: Submit): WinnerRecords {
  const find = async (when: readonly Condition[]): Promise<readonly StoredWinner[]> =>
    (await readAll(submit, TABLE, when)).map(toWinner)
  return {
    add: (winner) => submit({ verb: 'insert', table: TABLE, row: toRow(winner) }),
    async get(id) {
      const found = await submit({ verb: 'get', table: TABLE, key: keyOf(id) })
      return found && toWinner(found)
    },
    move: ({ id, from, to, reason, carrier, atMs }) =>
      submit({
        verb: 'change',
        table: TABLE,
        key: keyOf(id),
        set: {
          state: to,
          reason: reason ?? null,
          carrier: carrier ?? null,
          changed_ms: atMs,
        },
        when: [{ column: 'state', is: from }],
      }),
    list: (states) => find([{ column: 'state', is: states }]),
    ofSlot: (nullifier) => find([{ column: 'nullifier', is: nullifier }]),
  }
}

function keyOf({ nullifier, index }: WinnerId): Row {
  return { nullifier, ticket: index }
}

function toRow(winner: Winner): Row {
  return {
    ...keyOf(winner),
    opening: winner.opening,
    provider: winner.provider,
    amount: winner.amount.toString(),
    nonce: winner.nonce,
    reveal: winner.reveal,
    signature: winner.signature,
    received_ms: winner.receivedAtMs,
    state: 'received',
    reason: null,
    carrier: null,
    changed_ms: winner.receivedAtMs,
  }
}

function toWinner({ row }: StoredRow): StoredWinner {
  return {
    nullifier: bytesOf(row, 'nullifier'),
    index: numberOf(row, 'ticket'),
    opening: bytesOf(row, 'opening'),
    provider: bytesOf(row, 'provider'),
    amount: BigInt(textOf(row, 'amount')),
    nonce: bytesOf(row, 'nonce'),
    reveal: bytesOf(row, 'reveal'),
    signature: bytesOf(row, 'signature'),
    receivedAtMs: numberOf(row, 'received_ms'),
    state: textOf(row, 'state') as WinnerState,
    reason: row['reason'] === null ? undefined : (textOf(row, 'reason') as LossReason),
    carrier: row['carrier'] === null ? undefined : textOf(row, 'carrier'),
    changedAtMs: numberOf(row, 'changed_ms'),
  }
}
