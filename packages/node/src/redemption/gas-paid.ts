/** What a node's own transactions cost, for its books. @module */
import type { LaneCall, TransactionLane } from '@byway/chain'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import type { RawTransactionStore } from '@byway/protocol/payment'

/**
 * The store of a lane whose gas is booked: of each transaction that is in the chain for good, before that is kept, so that no end of the program comes between. One that changed nothing costs gas
 * too, and so does one that fills a gap. An event is one, however often it is told.
 */
export function bookGas(
  store: RawTransactionStore,
  events: MoneyEventSink,
  wallMs: () => number,
): RawTransactionStore {
  return {
    pending: (account) => store.pending(account),
    byKey: (account, key) => store.byKey(account, key),
    async put(transaction) {
      const { receipt } = transaction
      if (receipt) {
        const { hash, gasUsed, gasPrice } = receipt
        const wei = gasUsed * gasPrice
        await events.record({ id: `gas:${hash}`, atMs: wallMs(), type: 'gas-paid', wei })
      }
      await store.put(transaction)
    },
  }
}

/** Sends a call whose effect the chain is asked about later. @throws what the lane throws */
export async function sendUnfollowed(
  lane: Pick<TransactionLane, 'send'>,
  call: LaneCall,
  signal: AbortSignal,
): Promise<void> {
  const { confirmed } = await lane.send(call, signal)
  // Another was faster, or the lane stops.
  confirmed.catch(() => {})
}
