/**
 * A client's tokens that it bought and has not handed out (SPEC §16).
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { HeldToken, HeldTokenRecords, TokenCount } from '@byway/protocol/payment'
import type { Condition, Row, StoredRow, Submit, SubmitAll } from '../operation.ts'
import { bytesOf, numberOf, readAll } from './row.ts'

export interface TokenStock extends HeldTokenRecords {
  /**
   * Hands out up to `limit` tokens of a hop, the oldest first. They are off the disk before they are given, so none is handed out twice; what a process
   * has not spent when it is killed is lost. Take blocks of what a circuit needs soon.
   */
  take(node: Uint8Array, kind: number, limit: number): Promise<readonly HeldToken[]>
  /** Forgets what has expired by a time; gives the number. */
  forgetExpired(nowMs: number): Promise<number>
}

const TABLE = 'token'

/** A hop never has this many in stock; a longer list is a fault elsewhere. */
const LIST_MAX = 4096

export function createTokenStock(submit: Submit, submitAll: SubmitAll): TokenStock {
  const add = (tokens: readonly HeldToken[]): Promise<void> =>
    submitAll((one) => {
      for (const token of tokens) void one({ verb: 'insert', table: TABLE, row: toRow(token) })
    })
  return {
    add,
    giveBack: add,
    async take(node, kind, limit) {
      const rows = await submit({ verb: 'take', table: TABLE, when: at(node, kind), limit })
      return rows.map(toToken)
    },
    async list(node, kind) {
      const when = at(node, kind)
      const rows = await submit({ verb: 'list', table: TABLE, when, after: 0, limit: LIST_MAX })
      return rows.map(toToken)
    },
    async forgetAll() {
      const rows = await readAll(submit, TABLE, [])
      await submit({ verb: 'remove', table: TABLE, when: [] })
      return countsOf(rows.map(toToken))
    },
    forgetExpired: (nowMs) =>
      submit({ verb: 'remove', table: TABLE, when: [{ column: 'not_after_ms', below: nowMs }] }),
  }
}

function countsOf(tokens: readonly HeldToken[]): readonly TokenCount[] {
  const counts = new Map<string, TokenCount>()
  for (const { node, kind } of tokens) {
    const name = `${toHex(node)} ${kind}`
    counts.set(name, { node, kind, count: (counts.get(name)?.count ?? 0) + 1 })
  }
  return [...counts.values()]
}

function at(node: Uint8Array, kind: number): readonly Condition[] {
  return [
    { column: 'node', is: node },
    { column: 'kind', is: kind },
  ]
}

function toRow({ node, kind, keyId, nonce, token, notAfterMs }: HeldToken): Row {
  return { node, kind, key_id: keyId, nonce, token, not_after_ms: notAfterMs }
}

function toToken({ row }: StoredRow): HeldToken {
  return {
    node: bytesOf(row, 'node'),
    kind: numberOf(row, 'kind'),
    keyId: bytesOf(row, 'key_id'),
    nonce: bytesOf(row, 'nonce'),
    token: bytesOf(row, 'token'),
    notAfterMs: numberOf(row, 'not_after_ms'),
  }
}
