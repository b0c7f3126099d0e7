/**
 * A node's token keys (SPEC §16.1). Secret: the file is readable by its owner only.
 * @module
 */
import type { StoredTokenKey, TokenKeyRecords } from '@byway/protocol/payment'
import { TOKEN_KIND } from '@byway/protocol/wire'
import type { StoredRow, Submit, SubmitAll } from '../operation.ts'
import { bytesOf, numberOf, readAll } from './row.ts'

const TABLE = 'token_key'

/** Creates the records. Removing a key overwrites its bytes on the disk and forgets the tokens spent under it. */
export function createTokenKeyRecords(submit: Submit, submitAll: SubmitAll): TokenKeyRecords {
  return {
    list: async () => (await readAll(submit, TABLE, [])).map(toKey),
    async add({ kind, day, keyId, privateKey }) {
      const row = { kind, day, key_id: keyId, private_key: privateKey }
      await submit({ verb: 'insert', table: TABLE, row })
    },
    remove: (keyId) =>
      submitAll((one) => {
        const when = [{ column: 'key_id', is: keyId }]
        void one({ verb: 'remove', table: TABLE, when })
        void one({ verb: 'forgetSpent', table: 'spent', key: keyId })
      }),
  }
}

function toKey({ row }: StoredRow): StoredTokenKey {
  const isAdmission = numberOf(row, 'kind') === TOKEN_KIND.ADMISSION
  return {
    kind: isAdmission ? TOKEN_KIND.ADMISSION : TOKEN_KIND.BANDWIDTH,
    day: numberOf(row, 'day'),
    keyId: bytesOf(row, 'key_id'),
    privateKey: bytesOf(row, 'private_key'),
  }
}
