/**
 * What the chain said last of slots that are shown to a node (SPEC §15.8), so that it serves by it over a restart while the chain cannot be asked. A record that is lost costs its client
 * a TRY_LATER, never money.
 * @module
 */
import type { SlotState } from '@byway/protocol/payment'
import type { StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

/** The part of a slot's word that is served by. */
export type StoredSlotWord = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  readonly state: SlotState
  /** 20 bytes. */
  readonly holder: Uint8Array
  /** When the state began, seconds of the chain's clock. */
  readonly timeS: number
  /** Wall clock: served by until then. */
  readonly untilMs: number
}

export interface SlotWordRecords {
  /** In the order in which they were written first. */
  all(): Promise<readonly StoredSlotWord[]>
  /** Writes the word in place of the slot's last one. */
  put(word: StoredSlotWord): Promise<void>
  /** Forgets a slot's word, if there is one. */
  remove(nullifier: Uint8Array): Promise<void>
  /** Forgets what is served by no longer. */
  forgetBefore(untilMs: number): Promise<void>
}

const TABLE = 'slot_word'

export function createSlotWordRecords(submit: Submit): SlotWordRecords {
  return {
    all: async () => (await readAll(submit, TABLE, [])).map(toWord),
    async put({ nullifier, state, holder, timeS, untilMs }) {
      const row = { nullifier, state, holder, time_s: timeS, until_ms: untilMs }
      await submit({ verb: 'put', table: TABLE, row })
    },
    async remove(nullifier) {
      await submit({ verb: 'remove', table: TABLE, when: [{ column: 'nullifier', is: nullifier }] })
    },
    async forgetBefore(untilMs) {
      await submit({
        verb: 'remove',
        table: TABLE,
        when: [{ column: 'until_ms', below: untilMs }],
      })
    },
  }
}

function toWord({ row }: StoredRow): StoredSlotWord {
  return {
    nullifier: bytesOf(row, 'nullifier'),
    state: textOf(row, 'state') as SlotState,
    holder: bytesOf(row, 'holder'),
    timeS: numberOf(row, 'time_s'),
    untilMs: numberOf(row, 'until_ms'),
  }
}
