/**
 * Openings that a client has made ahead and shown to nobody (SPEC §13.5): each cost a second of a core. One that is lost is made again.
 * @module
 */
import { decodeOpening, encodeOpening, type Opening } from '@byway/protocol/wire'
import type { Submit } from '../operation.ts'
import { bytesOf, readAll } from './row.ts'

export interface MadeOpeningRecords {
  all(): Promise<readonly Opening[]>
  /** Keeps an opening in place of the one for the same slot. */
  put(opening: Opening): Promise<void>
  /** Forgets the opening for a slot, if there is one. */
  remove(nullifier: Uint8Array): Promise<void>
}

const TABLE = 'made_opening'

export function createMadeOpeningRecords(submit: Submit): MadeOpeningRecords {
  return {
    all: async () =>
      (await readAll(submit, TABLE, [])).map(({ row }) => decodeOpening(bytesOf(row, 'opening'))),
    async put(opening) {
      const row = { nullifier: opening.nullifier, opening: encodeOpening(opening) }
      await submit({ verb: 'put', table: TABLE, row })
    },
    async remove(nullifier) {
      await submit({
        verb: 'remove',
        table: TABLE,
        when: [{ column: 'nullifier', is: nullifier }],
      })
    },
  }
}
