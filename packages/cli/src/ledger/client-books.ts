/** The chain's side of a client's books: its deposits, and what became of its slots, told together so that money that came back is not taken for money from outside. */
import type { ChainView } from '@byway/chain'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { FoundDeposit } from '@byway/purse'
import type { Store } from '@byway/store'
import { recordDeposits } from './deposit-events.ts'
import { followSlots, type SeenLeaves } from './follow-slots.ts'

export type ClientBooksDeps = {
  readonly ledger: Store['ledger']
  readonly chain: Pick<ChainView, 'events'>
  readonly payment: PaymentParameters
  readonly nowMs: () => number
}

export interface ClientBooks {
  /** Deposits of ours that the chain has; told once the follower has come to them. */
  found(deposits: readonly FoundDeposit[]): void
  /** Follows the chain until the signal aborts, or until this block. @throws as `followSlots` */
  follow(signal: AbortSignal, untilBlock?: number): Promise<void>
}

/** Creates them; nothing is told before `follow`. */
export function createClientBooks({ ledger, chain, payment, nowMs }: ClientBooksDeps): ClientBooks {
  let known: readonly FoundDeposit[] = []
  let seen: SeenLeaves = { count: 0, returned: new Set(), block: 0 }
  const told = new Set<number>()
  const tell = async (): Promise<void> => {
    const news = known.filter(({ leafIndex }) => leafIndex < seen.count && !told.has(leafIndex))
    for (const { leafIndex } of news) told.add(leafIndex)
    await recordDeposits(ledger, news, { unit: payment.unit, nowMs: nowMs(), ...seen })
  }
  return {
    found(deposits) {
      known = deposits
      // The store says by its health why it was not told; what can be spent does not hang on it.
      tell().catch(() => {})
    },
    async follow(signal, untilBlock = Number.POSITIVE_INFINITY) {
      const done = new AbortController()
      const { deployBlock: fromBlock, confirmations, winValue, winsPerSlot, bond, unit } = payment
      const onHead = async (now: SeenLeaves): Promise<void> => {
        seen = now
        await tell()
        if (now.block >= untilBlock) done.abort()
      }
      const terms = { fromBlock, confirmations, winValue, winsPerSlot, bond, unit, nowMs }
      const either = AbortSignal.any([signal, done.signal])
      await followSlots({ ledger, chain, ...terms, onHead }, either)
    },
  }
}
