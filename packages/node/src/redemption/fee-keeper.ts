/**
 * Moves what a redeemer has earned in fees out of the account that pays the gas, whose key is in a running program, to the owner's account: the signer lets it go nowhere else
 * (DESIGN §7.4).
 * @module
 */
import type { ChainView, TokenCalls, TransactionLane } from '@byway/chain'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import type { TransactionReceipt } from '@byway/protocol/payment'
import { isPassing } from './passing.ts'

export type FeeKeeperDeps = {
  readonly chain: Pick<ChainView, 'tokenBalance'>
  readonly lane: Pick<TransactionLane, 'account' | 'send'>
  readonly calls: Pick<TokenCalls, 'transfer'>
  /** Told what was moved, and what it cost. */
  readonly events: MoneyEventSink
  /** Where earnings go: an account of the purse, 20 bytes. */
  readonly to: Uint8Array
  /** Less than this stays: a transfer costs gas. */
  readonly least: bigint
  /** Monotonic. */
  readonly nowMs: () => number
  readonly wallMs: () => number
}

/** Moves fees. */
export interface FeeKeeper {
  /** Looks now and then what there is to be moved; does nothing while the chain cannot be asked. @throws what stores throw */
  look(signal: AbortSignal): Promise<void>
}

// Local limit (tunable): docs/LIMITS.md. Fees come one by one, over days.
const FEE_LOOK_MS = 600_000

/** Creates a keeper; its first look is soon after the start. */
export function createFeeKeeper(deps: FeeKeeperDeps): FeeKeeper {
  const { chain, lane, calls, events, to, least, nowMs, wallMs } = deps
  const moved: { readonly amount: bigint; readonly receipt: TransactionReceipt }[] = []
  let isMoving = false
  let dueMs = Number.NEGATIVE_INFINITY

  async function book(): Promise<void> {
    for (let first = moved[0]; first; first = moved[0]) {
      const [{ amount, receipt }, atMs] = [first, wallMs()]
      await events.record({ id: `fees:${receipt.hash}`, atMs, type: 'fees-moved', amount })
      moved.shift()
    }
  }

  async function move(signal: AbortSignal): Promise<void> {
    const amount = await chain.tokenBalance(lane.account, signal)
    if (amount < least) return
    const key = `fees:${wallMs()}`
    const { confirmed } = await lane.send({ ...calls.transfer(to, amount), key }, signal)
    isMoving = true
    const end = (): void => void (isMoving = false)
    confirmed.then((receipt) => (moved.push({ amount, receipt }), end()), end)
  }

  return {
    async look(signal) {
      await book()
      if (isMoving || nowMs() < dueMs) return
      dueMs = nowMs() + FEE_LOOK_MS
      try {
        await move(signal)
      } catch (error) {
        if (!isPassing(error)) throw error
        // Away, without coin, or gas is dear: the same at a later look.
      }
    },
  }
}
