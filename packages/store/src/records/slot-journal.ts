/**
 * Which slots a client has shown, to whom, and how far it has signed (SPEC §13.2, §15.2). A slot shown with two session keys, or an index signed twice, can cost
 * the bond; so each step is on the disk before it is taken.
 * @module
 */
import type { StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

/** `shown`: it may have been seen by its hop. `full`: its wins are used up. `asked`: being taken back. `ended`: nothing of it is left. */
export type JournalState = 'shown' | 'full' | 'asked' | 'ended'

export type JournalSlot = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  /** The deposit's number and the slot's in it. */
  readonly deposit: number
  readonly slot: number
  /** The hop that it is shown to and no other, 32 bytes. */
  readonly node: Uint8Array
  /** The hop's address as a provider, 20 bytes; zeros until SHOWN has named it. */
  readonly provider: Uint8Array
  /** Whatever gives the session key again: the key itself or how it is derived. The file is readable by its owner only. */
  readonly session: Uint8Array
  /** The opening as it is shown, so that a restart shows the very same. */
  readonly opening: Uint8Array
  /** Indices below this may have been signed. Go on from here after a restart. */
  readonly floor: number
  readonly shownAtMs: number
  readonly state: JournalState
}

export interface SlotJournal {
  /** Stores a slot. **Wait for it before the slot is shown.** A known nullifier keeps its record: go on with that. */
  show(slot: JournalSlot): Promise<'new' | 'known'>
  /** Raises the floor to `index`. **Wait for it before an index below is signed**; raise it by blocks to save time. */
  raiseFloor(nullifier: Uint8Array, index: number): Promise<number | undefined>
  /** Writes down the provider that SHOWN named. */
  setProvider(nullifier: Uint8Array, provider: Uint8Array): Promise<boolean>
  move(nullifier: Uint8Array, state: JournalState): Promise<boolean>
  get(nullifier: Uint8Array): Promise<JournalSlot | undefined>
  list(states: readonly JournalState[]): Promise<readonly JournalSlot[]>
}

const TABLE = 'slot'

export function createSlotJournal(submit: Submit): SlotJournal {
  return {
    show: ({ shownAtMs, deposit, slot, ...rest }) =>
      submit({
        verb: 'insert',
        table: TABLE,
        row: { ...rest, deposit, place: slot, shown_ms: shownAtMs },
      }),
    raiseFloor: (nullifier, index) =>
      submit({ verb: 'raise', table: TABLE, key: { nullifier }, column: 'floor', value: index }),
    setProvider: (nullifier, provider) =>
      submit({ verb: 'change', table: TABLE, key: { nullifier }, set: { provider }, when: [] }),
    move: (nullifier, state) =>
      submit({ verb: 'change', table: TABLE, key: { nullifier }, set: { state }, when: [] }),
    async get(nullifier) {
      const found = await submit({ verb: 'get', table: TABLE, key: { nullifier } })
      return found && toSlot(found)
    },
    list: async (states) =>
      (await readAll(submit, TABLE, [{ column: 'state', is: states }])).map(toSlot),
  }
}

function toSlot({ row }: StoredRow): JournalSlot {
  return {
    nullifier: bytesOf(row, 'nullifier'),
    deposit: numberOf(row, 'deposit'),
    slot: numberOf(row, 'place'),
    node: bytesOf(row, 'node'),
    provider: bytesOf(row, 'provider'),
    session: bytesOf(row, 'session'),
    opening: bytesOf(row, 'opening'),
    floor: numberOf(row, 'floor'),
    shownAtMs: numberOf(row, 'shown_ms'),
    state: textOf(row, 'state') as JournalState,
  }
}
