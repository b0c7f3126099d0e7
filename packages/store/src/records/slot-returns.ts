/**
 * Slots that a client asks back (SPEC §15.8): when, and who was told what.
 * @module
 */
import { assert } from '@byway/protocol/base'
import { parseNodeKey, type NodeKey } from '@byway/protocol/directory'
import type { Row, StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

/** What the client's `ReturnRecord` holds. */
export type StoredReturn = {
  readonly nullifier: Uint8Array
  readonly kind: 'back' | 'withdraw'
  /** -1 for a withdrawal. */
  readonly owner: number
  readonly to: Uint8Array
  readonly state: 'waiting' | 'asked'
  readonly dueMs: number
  readonly relay: NodeKey | undefined
  readonly body: Uint8Array
}

export interface SlotReturnRecords {
  all(): Promise<readonly StoredReturn[]>
  /** In place of the one with the same nullifier. **A relayer is told after this.** */
  put(record: StoredReturn): Promise<void>
  remove(nullifier: Uint8Array): Promise<void>
}

const TABLE = 'slot_return'

export function createSlotReturnRecords(submit: Submit): SlotReturnRecords {
  return {
    async all() {
      return (await readAll(submit, TABLE, [])).map(toReturn)
    },
    async put(record) {
      await submit({ verb: 'put', table: TABLE, row: toRow(record) })
    },
    async remove(nullifier) {
      await submit({ verb: 'remove', table: TABLE, when: [{ column: 'nullifier', is: nullifier }] })
    },
  }
}

function toRow({ to, dueMs, relay, ...rest }: StoredReturn): Row {
  return { ...rest, receiver: to, due_ms: dueMs, relay: relay ?? null }
}

function toReturn({ row }: StoredRow): StoredReturn {
  return {
    nullifier: bytesOf(row, 'nullifier'),
    kind: textOf(row, 'kind') as StoredReturn['kind'],
    owner: numberOf(row, 'owner'),
    to: bytesOf(row, 'receiver'),
    state: textOf(row, 'state') as StoredReturn['state'],
    dueMs: numberOf(row, 'due_ms'),
    relay: row['relay'] === null ? undefined : relayOf(row),
    body: bytesOf(row, 'body'),
  }
}

function relayOf(row: Row): NodeKey {
  const relay = parseNodeKey(textOf(row, 'relay'))
  assert(relay, 'a stored relay is a node key')
  return relay
}
