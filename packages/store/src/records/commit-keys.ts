/**
 * The keys from which a provider derives its reveals (SPEC §13.4).
 * @module
 */
import type { Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll } from './row.ts'

/** `k` of one epoch. Openings name the epoch under which their commits were made. */
export type CommitKey = {
  readonly epoch: number
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly madeAtMs: number
}

export interface CommitKeyRecords {
  /** Stores a key. An epoch that has one keeps it and says `known`. */
  add(key: CommitKey): Promise<'new' | 'known'>
  /** The oldest first. */
  list(): Promise<readonly CommitKey[]>
  /** Removes the keys of epochs before this one; their bytes are overwritten on the disk. */
  forgetBefore(epoch: number): Promise<void>
}

const TABLE = 'commit_key'

export function createCommitKeyRecords(submit: Submit): CommitKeyRecords {
  return {
    add: ({ epoch, key, madeAtMs }) =>
      submit({ verb: 'insert', table: TABLE, row: { epoch, secret: key, made_ms: madeAtMs } }),
    async list() {
      const rows = await readAll(submit, TABLE, [])
      return rows
        .map(({ row }) => ({
          epoch: numberOf(row, 'epoch'),
          key: bytesOf(row, 'secret'),
          madeAtMs: numberOf(row, 'made_ms'),
        }))
        .toSorted((a, b) => a.epoch - b.epoch)
    },
    async forgetBefore(epoch) {
      await submit({ verb: 'remove', table: TABLE, when: [{ column: 'epoch', below: epoch }] })
    },
  }
}
