/** Transactions of a lane that need not outlive the program, such as those of a deployment: whoever repeats it begins anew. */
import type { RawTransactionStore, StoredTransaction } from '@byway/protocol/payment'
import { hexOf } from '../contracts/bytes.ts'

/** Creates an empty store. */
export function createMemoryTransactionStore(): RawTransactionStore {
  const byNonce = new Map<string, StoredTransaction>()
  const all = (account: Uint8Array): readonly StoredTransaction[] =>
    [...byNonce.values()]
      .filter((each) => hexOf(each.account) === hexOf(account))
      .toSorted((a, b) => a.nonce - b.nonce)
  return {
    async put(transaction) {
      byNonce.set(`${hexOf(transaction.account)} ${transaction.nonce}`, transaction)
    },
    async pending(account) {
      return all(account).filter(({ state }) => state === 'pending')
    },
    async byKey(account, key) {
      return all(account).findLast((each) => each.key === key)
    },
  }
}
