/**
 * A client's deposits in the pool (SPEC §13.2).
 * @module
 */
import type { StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

/** `made`: its transaction is on its way. `live`: its leaf is in the tree. `asked`: being taken back. `ended`: nothing of it is left. */
export type DepositState = 'made' | 'live' | 'asked' | 'ended'

export type Deposit = {
  /** Its number among this client's deposits; the purse derives the secret from it. */
  readonly number: number
  /** The commitment, 32 bytes. */
  readonly idc: Uint8Array
  /** Bond units. */
  readonly limit: number
  readonly madeAtMs: number
  readonly state: DepositState
  /** Its leaf's place in the tree, once it is there. */
  readonly leafIndex: number | undefined
}

export interface DepositRecords {
  /** Stores a deposit before its transaction is sent. A known number keeps its record. */
  add(deposit: Deposit): Promise<'new' | 'known'>
  /** Sets the state, and the leaf's place where it is given. */
  move(number: number, state: DepositState, leafIndex?: number): Promise<boolean>
  list(): Promise<readonly Deposit[]>
}

const TABLE = 'deposit'

export function createDepositRecords(submit: Submit): DepositRecords {
  return {
    add: ({ number, idc, limit, madeAtMs, state, leafIndex }) =>
      submit({
        verb: 'insert',
        table: TABLE,
        row: { number, idc, units: limit, made_ms: madeAtMs, state, leaf: leafIndex ?? null },
      }),
    move: (number, state, leafIndex) =>
      submit({
        verb: 'change',
        table: TABLE,
        key: { number },
        set: leafIndex === undefined ? { state } : { state, leaf: leafIndex },
        when: [],
      }),
    list: async () => (await readAll(submit, TABLE, [])).map(toDeposit),
  }
}

function toDeposit({ row }: StoredRow): Deposit {
  return {
    number: numberOf(row, 'number'),
    idc: bytesOf(row, 'idc'),
    limit: numberOf(row, 'units'),
    madeAtMs: numberOf(row, 'made_ms'),
    state: textOf(row, 'state') as DepositState,
    leafIndex: row['leaf'] === null ? undefined : numberOf(row, 'leaf'),
  }
}
