/**
 * Slots that a client asks back (SPEC §15.8): when, and who was told what.
 * @module
 */
import { assert, concatBytes } from '@byway/protocol/base'
import { parseNodeKey, type NodeKey } from '@byway/protocol/directory'
import type { Row, StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

/** What the client's `ReturnRecord` holds. */
export type StoredReturn = {
  readonly nullifier: Uint8Array
  readonly kind: 'back' | 'withdraw' | 'join'
  /** -1 for a withdrawal. */
  readonly owner: number
  readonly to: Uint8Array
  /** Of a joining: 32 bytes each. */
  readonly rests: readonly Uint8Array[]
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

/** No order has both a receiver and rests: they share a column. */
function toRow({ to, rests, dueMs, relay, ...rest }: StoredReturn): Row {
  const receiver = rest.kind === 'join' ? concatBytes(...rests) : to
  return { ...rest, receiver, due_ms: dueMs, relay: relay ?? null }
}

function toReturn({ row }: StoredRow): StoredReturn {
  const kind = textOf(row, 'kind') as StoredReturn['kind']
  const receiver = bytesOf(row, 'receiver')
  const isJoin = kind === 'join'
  return {
    nullifier: bytesOf(row, 'nullifier'),
    kind,
    owner: numberOf(row, 'owner'),
    to: isJoin ? new Uint8Array() : receiver,
    rests: isJoin ? restsIn(receiver) : [],
    state: textOf(row, 'state') as StoredReturn['state'],
    dueMs: numberOf(row, 'due_ms'),
    relay: row['relay'] === null ? undefined : relayOf(row),
    body: bytesOf(row, 'body'),
  }
}

function restsIn(bytes: Uint8Array): readonly Uint8Array[] {
  const count = bytes.length / REST_BYTES
  return Array.from({ length: count }, (_, at) =>
    bytes.slice(at * REST_BYTES, (at + 1) * REST_BYTES),
  )
}

const REST_BYTES = 32

function relayOf(row: Row): NodeKey {
  const relay = parseNodeKey(textOf(row, 'relay'))
  assert(relay, 'a stored relay is a node key')
  return relay
}
