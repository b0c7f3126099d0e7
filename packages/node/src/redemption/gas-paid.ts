/** What a node's own transactions cost, for its books. @module */
import type { LaneCall, TransactionLane } from '@byway/chain'
import type { MoneyEvent, MoneyEventSink } from '@byway/protocol/ledger'
import type { TransactionReceipt } from '@byway/protocol/payment'

/** The gas of a transaction as an event: one, however often it is told. */
export function gasPaid(
  { hash, gasUsed, gasPrice }: TransactionReceipt,
  atMs: number,
): MoneyEvent & { readonly type: 'gas-paid' } {
  return { id: `gas:${hash}`, atMs, type: 'gas-paid', wei: gasUsed * gasPrice }
}

export type NotingDeps = {
  readonly lane: Pick<TransactionLane, 'send'>
  /** Told what was paid for gas. */
  readonly events: MoneyEventSink
  /** Wall clock. */
  readonly wallMs: () => number
}

/** Sends a call whose effect the chain is asked about later, and notes its gas when it is mined. @throws what the lane throws */
export async function sendNoted(
  { lane, events, wallMs }: NotingDeps,
  call: LaneCall,
  signal: AbortSignal,
): Promise<void> {
  const sent = await lane.send(call, signal)
  sent.confirmed
    .then((receipt) => events.record(gasPaid(receipt, wallMs())))
    // Another was faster, or the lane stops. A store that failed is noticed by redemption.
    .catch(() => {})
}
