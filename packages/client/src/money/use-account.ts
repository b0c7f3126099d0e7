/**
 * What the books know of one place that carries for this client: a link, a circuit's relay, a tunnel's exit. Paid bytes are used up before free ones; what is free for good is
 * known only at the end, when no pay comes any more.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { TicketUse } from '@byway/protocol/ledger'
import type { Allowance } from '@byway/protocol/payment'

/** What a place has carried and was paid for, as the client counts. */
export type UseCounts = Pick<Allowance, 'countedBytes' | 'carriedBytes' | 'paidBytes'>

/** One place's account. */
export class UseAccount {
  readonly hop: NodeKey
  readonly use: TicketUse
  readonly #counts: UseCounts
  #usedBytes = 0
  #carriedBytes = 0

  constructor(hop: NodeKey, use: TicketUse, counts: UseCounts) {
    this.hop = hop
    this.use = use
    this.#counts = counts
  }

  /** Since the last call: bytes that were paid for, below 0 when what paid for them turned out void, and bytes of cells in all. */
  news(): { readonly paidBytes: bigint; readonly bytes: number } {
    const { countedBytes, carriedBytes, paidBytes } = this.#counts
    const usedBytes = Math.min(countedBytes, paidBytes)
    const news = {
      paidBytes: BigInt(usedBytes - this.#usedBytes),
      bytes: carriedBytes - this.#carriedBytes,
    }
    this.#usedBytes = usedBytes
    this.#carriedBytes = carriedBytes
    return news
  }

  /** At the end, after the last news: what was carried for nothing, and what was paid for nothing. */
  rest(): { readonly freeBytes: bigint; readonly lostBytes: bigint } {
    const { countedBytes, paidBytes } = this.#counts
    return {
      freeBytes: BigInt(countedBytes - this.#usedBytes),
      lostBytes: BigInt(paidBytes - this.#usedBytes),
    }
  }
}
