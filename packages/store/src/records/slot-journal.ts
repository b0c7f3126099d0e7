/**
 * Which slots a client has shown, to whom, and how far it has signed (SPEC §13.2, §15.2). A slot shown with two session keys, or an index signed twice, can cost
 * the bond; so each step is on the disk before it is taken.
 * @module
 */
import { assert } from '@byway/protocol/base'
import { parseNodeKey, type NodeKey } from '@byway/protocol/directory'
import { decodeOpening, encodeOpening, type Opening } from '@byway/protocol/wire'
import type { Row, StoredRow, Submit, SubmitAll } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

/** One shown slot, or one about to be. */
export type JournalSlot = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  /** The hop that it is shown to and no other. */
  readonly hop: NodeKey
  /** `link`: tickets on the link to an entry. `tokens`: tickets on control circuits. */
  readonly use: 'link' | 'tokens'
  /** `full`: its wins are used up. `refused`: its hop does not take it (any more). */
  readonly standing: 'shown' | 'full' | 'refused'
  readonly shownAtS: number
  /** The opening as it is shown, so that a restart shows the very same. */
  readonly opening: Opening
  /** Indices below this may have been signed. Go on from here after a restart. */
  readonly floor: number
}

export interface SlotJournalRecords {
  all(): Promise<readonly JournalSlot[]>
  /** Writes the record in place of the one with the same nullifier; its floor never falls. **Wait for it before the slot is shown.** */
  put(slot: JournalSlot): Promise<void>
  /** Raises the floor to `index`. **Wait for it before an index below is signed**; raise it by blocks to save time. */
  raiseFloor(nullifier: Uint8Array, index: number): Promise<void>
}

const TABLE = 'slot'

export function createSlotJournal(submit: Submit, submitAll: SubmitAll): SlotJournalRecords {
  return {
    all: async () => (await readAll(submit, TABLE, [])).map(toSlot),
    put: (slot) =>
      submitAll((one) => {
        const key = { nullifier: slot.nullifier }
        const { floor, ...set } = toRow(slot)
        void one({ verb: 'insert', table: TABLE, row: { ...set, floor: floor ?? 0 } })
        void one({ verb: 'change', table: TABLE, key, set, when: [] })
        void one({ verb: 'raise', table: TABLE, key, column: 'floor', value: slot.floor })
      }),
    async raiseFloor(nullifier, index) {
      const key = { nullifier }
      await submit({ verb: 'raise', table: TABLE, key, column: 'floor', value: index })
    },
  }
}

function toRow({ nullifier, hop, use, standing, shownAtS, opening, floor }: JournalSlot): Row {
  const encoded = encodeOpening(opening)
  return { nullifier, hop, use, standing, shown_s: shownAtS, opening: encoded, floor }
}

function toSlot({ row }: StoredRow): JournalSlot {
  const hop = parseNodeKey(textOf(row, 'hop'))
  assert(hop, 'a stored hop is a node key')
  return {
    nullifier: bytesOf(row, 'nullifier'),
    hop,
    use: textOf(row, 'use') as JournalSlot['use'],
    standing: textOf(row, 'standing') as JournalSlot['standing'],
    shownAtS: numberOf(row, 'shown_s'),
    opening: decodeOpening(bytesOf(row, 'opening')),
    floor: numberOf(row, 'floor'),
  }
}
