/** The pending transactions of a lane, by nonce, with those who wait for them. */
import type { StoredTransaction, TransactionReceipt } from '@byway/protocol/payment'
import type { LaneTransaction } from '../transaction-lane.ts'

/** Who waits for a transaction. */
type Waiter = PromiseWithResolvers<TransactionReceipt>

export interface PendingTransactions {
  readonly size: number
  /** By rising nonce. */
  all(): readonly StoredTransaction[]
  byKey(key: string): StoredTransaction | undefined
  has(nonce: number): boolean
  /** Takes a new or changed pending transaction. */
  set(transaction: StoredTransaction): void
  /** What the lane gives to a caller. */
  handle(transaction: StoredTransaction): LaneTransaction
  /** It is in a block, as seen at this height. */
  noteMined(nonce: number, atBlock: number): void
  /** Its nonce is used and no form of it is in a block, as seen at this height; gives the height at which that was seen first. */
  noteMissing(nonce: number, atBlock: number): number
  /** It waits, or was found: {@link PendingTransactions.noteMissing} begins anew. */
  noteFound(nonce: number): void
  /** From which block on it waits: when its newest form was sent, or when it was last seen in a block that is gone. */
  waitingSince(transaction: StoredTransaction): number
  /** It is not pending any more; tells who waits. */
  settle(nonce: number, outcome: TransactionReceipt | Error): void
  /** Tells everyone who waits that nothing will come. */
  abandon(error: Error): void
}

/** Creates an empty table. */
export function createPendingTransactions(): PendingTransactions {
  const byNonce = new Map<number, StoredTransaction>()
  const minedAt = new Map<number, number>()
  const missingSince = new Map<number, number>()
  const waiters = new Map<number, Waiter>()
  const waiterOf = (nonce: number): Waiter => {
    const waiter = waiters.get(nonce) ?? Promise.withResolvers<TransactionReceipt>()
    // Whoever does not wait is not told.
    waiter.promise.catch(() => {})
    waiters.set(nonce, waiter)
    return waiter
  }
  return {
    get size() {
      return byNonce.size
    },
    all: () => [...byNonce.values()].toSorted((a, b) => a.nonce - b.nonce),
    byKey: (key) => [...byNonce.values()].find((each) => each.key === key),
    has: (nonce) => byNonce.has(nonce),
    set: (transaction) => void byNonce.set(transaction.nonce, transaction),
    handle: ({ key, nonce, forms }) => ({
      key,
      nonce,
      hash: forms.at(-1)?.hash ?? '0x',
      confirmed: waiterOf(nonce).promise,
    }),
    noteMined: (nonce, atBlock) => void minedAt.set(nonce, atBlock),
    noteMissing(nonce, atBlock) {
      // After a reorganisation the chain may be shorter.
      const since = Math.min(missingSince.get(nonce) ?? atBlock, atBlock)
      missingSince.set(nonce, since)
      return since
    },
    noteFound: (nonce) => void missingSince.delete(nonce),
    waitingSince: ({ nonce, forms }) =>
      Math.max(forms.at(-1)?.sentAtBlock ?? 0, minedAt.get(nonce) ?? 0),
    settle(nonce, outcome) {
      minedAt.delete(nonce)
      missingSince.delete(nonce)
      const waiter = waiterOf(nonce)
      waiters.delete(nonce)
      byNonce.delete(nonce)
      if (outcome instanceof Error) waiter.reject(outcome)
      else waiter.resolve(outcome)
    },
    abandon(error) {
      for (const waiter of waiters.values()) waiter.reject(error)
      waiters.clear()
    },
  }
}
