/**
 * Slots that were shown to this node, and how far their indices are given out (SPEC §13.2, §15.2).
 * @module
 */
import type { StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf } from './row.ts'

/** A slot at this node. */
export type ShownOpening = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  /** The opening as it came (SPEC §13.2). */
  readonly opening: Uint8Array
  /** 20 bytes. A slot shown with another one is refused. */
  readonly sessionKey: Uint8Array
  /** The {@link CommitKey} of its commits. */
  readonly keyEpoch: number
  /** Commits below this index may have been sent. After a restart, go on from here and nowhere below. */
  readonly floor: number
  readonly firstSeenMs: number
}

export interface OpeningRecords {
  /** Stores a first showing. A known nullifier keeps its record and says `known`. */
  remember(opening: ShownOpening): Promise<'new' | 'known'>
  get(nullifier: Uint8Array): Promise<ShownOpening | undefined>
  /** Raises the floor, never lowers it. **Wait for it before the commits are sent.** Gives the floor that holds. */
  raiseFloor(nullifier: Uint8Array, floor: number): Promise<number | undefined>
  /** Forgets the openings first seen before a time. Winners stay: they hold their opening themselves. */
  forgetBefore(firstSeenMs: number): Promise<number>
}

const TABLE = 'opening'

export function createOpeningRecords(submit: Submit): OpeningRecords {
  return {
    remember: (opening) =>
      submit({
        verb: 'insert',
        table: TABLE,
        row: {
          nullifier: opening.nullifier,
          opening: opening.opening,
          session_key: opening.sessionKey,
          key_epoch: opening.keyEpoch,
          floor: opening.floor,
          seen_ms: opening.firstSeenMs,
        },
      }),
    async get(nullifier) {
      const found = await submit({ verb: 'get', table: TABLE, key: { nullifier } })
      return found && toOpening(found)
    },
    raiseFloor: (nullifier, floor) =>
      submit({ verb: 'raise', table: TABLE, key: { nullifier }, column: 'floor', value: floor }),
    forgetBefore: (firstSeenMs) =>
      submit({ verb: 'remove', table: TABLE, when: [{ column: 'seen_ms', below: firstSeenMs }] }),
  }
}

function toOpening({ row }: StoredRow): ShownOpening {
  return {
    nullifier: bytesOf(row, 'nullifier'),
    opening: bytesOf(row, 'opening'),
    sessionKey: bytesOf(row, 'session_key'),
    keyEpoch: numberOf(row, 'key_epoch'),
    floor: numberOf(row, 'floor'),
    firstSeenMs: numberOf(row, 'seen_ms'),
  }
}
