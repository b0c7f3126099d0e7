/**
 * A provider's side of redeemers (SPEC §14.5, §15.7): signs its claims and leaves them with two others at once.
 * @module
 */
import type { Pool } from '@byway/protocol/ticket'
import {
  encodeRedeemOrder,
  REDEEM_ANSWER,
  type RedeemAnswer,
  type RedeemEntries,
} from '@byway/protocol/wire'
import type { Batch, BatchKind } from './batching.ts'
import { orderEntries, orderTerms } from './order.ts'

/** Others who send our claims. */
export interface Redeemers {
  /** What each win costs, in the token's smallest parts; at most 12 % of it. */
  readonly fee: bigint
  /**
   * Signs a batch and leaves it with two of them, others than the last time where there are any. Gives how many have it on their disk; never rejects for a redeemer
   * that does not answer.
   *
   * @param deadlineS - of the promise, by the chain's clock
   */
  handOver(batch: Batch, deadlineS: number, signal: AbortSignal): Promise<number>
}

/** What the purse signs (SPEC §14.5). */
export type OrderTerms = {
  readonly kind: BatchKind
  readonly items: Uint8Array
  readonly fee: bigint
  readonly deadlineS: number
}

export type RedeemersDeps = {
  readonly pool: Pool
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly fee: bigint
  /** 65 bytes by the provider's key. */
  readonly sign: (terms: OrderTerms) => Promise<Uint8Array>
  /** Node ids of those that may do it, in any order. */
  readonly candidates: () => readonly Uint8Array[]
  /** Asks one of them; nothing when it does not answer. Never rejects. */
  readonly ask: (
    nodeId: Uint8Array,
    order: Uint8Array,
    signal: AbortSignal,
  ) => Promise<RedeemAnswer | undefined>
}

/** DESIGN §7.4. */
const AT_ONCE = 2

/** Creates the provider's side. */
export function createRedeemers(deps: RedeemersDeps): Redeemers {
  /** Where to go on asking, so that one who takes orders and does nothing is not asked again at once. */
  let turn = 0
  const leave = async (
    entries: RedeemEntries,
    deadlineS: number,
    signal: AbortSignal,
  ): Promise<number> => {
    const { provider, fee, pool } = deps
    const terms = { ...orderTerms(entries, provider, pool), fee, deadlineS }
    const signature = await deps.sign(terms)
    const order = encodeRedeemOrder({ provider, fee, deadlineS, signature, entries })
    const all = deps.candidates()
    let taken = 0
    for (let asked = 0; asked < all.length && taken < AT_ONCE;) {
      const some = Array.from({ length: AT_ONCE - taken }, () => all[turn++ % all.length])
      const distinct = [...new Set(some)].filter((id) => id !== undefined)
      asked += some.length
      const answers = await Promise.all(distinct.map((id) => deps.ask(id, order, signal)))
      taken += answers.filter((answer) => answer === REDEEM_ANSWER.TAKEN).length
    }
    return taken
  }
  return {
    fee: deps.fee,
    async handOver(batch, deadlineS, signal) {
      let least = AT_ONCE
      for (const entries of orderEntries(batch))
        least = Math.min(least, await leave(entries, deadlineS, signal))
      return least
    },
  }
}
