/**
 * Signed claims between a provider and its redeemers (SPEC §15.7), and what clients left with a relayer (§15.8).
 * @module
 */
import type { Condition, StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

/** `given`: ours, at a redeemer. `taken`: another provider's, that we promised to send. `return`: a slot on its way back to an owner, the same (SPEC §15.8). */
export type HandOverSide = 'given' | 'taken' | 'return'

/** `open` until the chain shows the effect (`done`) or its time is over (`ended`). */
export type HandOverState = 'open' | 'done' | 'ended'

/** One signed set of claims at one redeemer. */
export type HandOver = {
  readonly side: HandOverSide
  /** Hash of the signed claims, 32 bytes. */
  readonly id: Uint8Array
  /** The node on the other side, 32 bytes. */
  readonly peer: Uint8Array
  /** The signed claims as they travel. */
  readonly body: Uint8Array
  /** Seconds of the chain's clock; void afterwards. */
  readonly deadlineS: number
  readonly atMs: number
  readonly state: HandOverState
}

export interface HandOverRecords {
  /** Stores one as it is. The same at the same peer a second time changes nothing. **A redeemer acknowledges after this.** */
  add(handOver: HandOver): Promise<'new' | 'known'>
  /** Ends one; false when it was ended or is unknown. */
  end(
    handOver: Pick<HandOver, 'side' | 'id' | 'peer'>,
    state: Exclude<HandOverState, 'open'>,
  ): Promise<boolean>
  /** Opens one again that was ended, with this time and deadline; false when it is open or unknown. */
  reopen(handOver: Pick<HandOver, 'side' | 'id' | 'peer' | 'deadlineS' | 'atMs'>): Promise<boolean>
  list(side: HandOverSide, state: HandOverState): Promise<readonly HandOver[]>
  /** Forgets ended ones that were stored before a time. */
  forgetBefore(atMs: number): Promise<number>
}

const TABLE = 'hand_over'

export function createHandOverRecords(submit: Submit): HandOverRecords {
  return {
    add: ({ deadlineS, atMs, ...rest }) =>
      submit({
        verb: 'insert',
        table: TABLE,
        row: { ...rest, deadline_s: deadlineS, stored_ms: atMs },
      }),
    end: ({ side, id, peer }, state) =>
      submit({
        verb: 'change',
        table: TABLE,
        key: { side, id, peer },
        set: { state },
        when: [{ column: 'state', is: 'open' }],
      }),
    reopen: ({ side, id, peer, deadlineS, atMs }) =>
      submit({
        verb: 'change',
        table: TABLE,
        key: { side, id, peer },
        set: { state: 'open', deadline_s: deadlineS, stored_ms: atMs },
        when: [{ column: 'state', is: ['done', 'ended'] }],
      }),
    async list(side, state) {
      const when: Condition[] = [
        { column: 'side', is: side },
        { column: 'state', is: state },
      ]
      return (await readAll(submit, TABLE, when)).map(toHandOver)
    },
    forgetBefore: (atMs) =>
      submit({
        verb: 'remove',
        table: TABLE,
        when: [
          { column: 'state', is: ['done', 'ended'] },
          { column: 'stored_ms', below: atMs },
        ],
      }),
  }
}

function toHandOver({ row }: StoredRow): HandOver {
  return {
    side: textOf(row, 'side') as HandOverSide,
    id: bytesOf(row, 'id'),
    peer: bytesOf(row, 'peer'),
    body: bytesOf(row, 'body'),
    deadlineS: numberOf(row, 'deadline_s'),
    atMs: numberOf(row, 'stored_ms'),
    state: textOf(row, 'state') as HandOverState,
  }
}
