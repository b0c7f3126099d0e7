/**
 * A node's token keys (SPEC §16.1). Secret: the file is readable by its owner only.
 * @module
 */
import { assert, toHex } from '@byway/protocol/base'
import type { StoredTokenKey, TokenKeyRecords } from '@byway/protocol/payment'
import { TOKEN_KIND } from '@byway/protocol/wire'
import type { TokenKind } from '@byway/protocol/wire'
import type { StoredRow, Submit, SubmitAll } from '../operation.ts'
import { bytesOf, numberOf, readAll, textOf } from './row.ts'

const TABLE = 'token_key'

/** Where the number of tokens sold under a key is counted. */
export function soldCounter(keyId: Uint8Array): string {
  return `sold:${toHex(keyId)}`
}

/** Creates the records. Removing a key overwrites its bytes on the disk and forgets the tokens spent under it. */
export function createTokenKeyRecords(submit: Submit, submitAll: SubmitAll): TokenKeyRecords {
  return {
    list: async () => (await readAll(submit, TABLE, [])).map(toKey),
    async add({ kind, day, keyId, privateKey }) {
      const row = { kind, day, key_id: keyId, private_key: privateKey }
      await submit({ verb: 'insert', table: TABLE, row })
    },
    async remove(keyId) {
      const counter = { name: soldCounter(keyId) }
      const [sold, spent] = await Promise.all([
        submit({ verb: 'get', table: 'counter', key: counter }),
        submit({ verb: 'get', table: 'spent_key', key: { key_id: keyId } }),
      ])
      await submitAll((one) => {
        void one({ verb: 'remove', table: TABLE, when: [{ column: 'key_id', is: keyId }] })
        void one({
          verb: 'remove',
          table: 'counter',
          when: [{ column: 'name', is: counter.name }],
        })
        void one({ verb: 'forgetSpent', table: 'spent', key: keyId })
      })
      return {
        sold: sold ? Number(textOf(sold.row, 'value')) : 0,
        spent: spent ? numberOf(spent.row, 'tags') : 0,
      }
    },
  }
}

function toKey({ row }: StoredRow): StoredTokenKey {
  return {
    kind: kindOf(numberOf(row, 'kind')),
    day: numberOf(row, 'day'),
    keyId: bytesOf(row, 'key_id'),
    privateKey: bytesOf(row, 'private_key'),
  }
}

const KINDS: readonly TokenKind[] = Object.values(TOKEN_KIND)

function kindOf(value: number): TokenKind {
  const kind = KINDS.find((each) => each === value)
  assert(kind !== undefined, 'a row that was kept whole has a kind of SPEC §16')
  return kind
}
