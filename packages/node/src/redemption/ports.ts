/**
 * What redemption needs and what it tells.
 * @module
 */
import type { ChainView, PoolCalls, TransactionLane } from '@byway/chain'
import type { UnitRandom } from '@byway/protocol/directory'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import type { Store } from '@byway/store'
import type { BatchPolicy, GasWorth } from './batching.ts'
import type { Redeemers } from './redeemers.ts'

/** What an operator may have to act on. Told when it begins; numbers only. */
export type RedemptionAlert =
  /** Open winners have a deadline that is in the last quarter of its span: of all that are open, the earliest. */
  | { readonly type: 'win-at-risk'; readonly winners: number; readonly deadlineS: number }
  /** Winners ended without money. */
  | { readonly type: 'win-lost'; readonly winners: number; readonly reason: string }
  /** The chain cannot be asked; the wins wait on the disk. */
  | { readonly type: 'chain-unreachable' }
  /** Gas costs more than the wins' worth allows; they wait. */
  | { readonly type: 'gas-dear'; readonly winners: number }
  /** Neither gas nor a redeemer that takes claims. */
  | { readonly type: 'no-sender'; readonly winners: number }
  /** The signer signs nothing now: the day's gas is used up, or it is being started again; and no redeemer takes the claims. They wait. */
  | { readonly type: 'unsigned'; readonly winners: number }
  /** The stake is below what keeps the registration active, or has nothing spare for a redeemer's fee: nothing can be locked. */
  | { readonly type: 'stake-low' }

export type RedemptionDeps = {
  readonly store: Pick<Store, 'winners' | 'atomically'>
  readonly chain: Pick<
    ChainView,
    'head' | 'slot' | 'eventsOf' | 'registration' | 'bindOf' | 'paidFor'
  >
  readonly calls: Pick<
    PoolCalls,
    'lock' | 'bind' | 'claimMore' | 'conflictOpenings' | 'conflictTickets'
  >
  /** Of the account that pays the gas; absent where the node has none. */
  readonly lane: Pick<TransactionLane, 'send' | 'raise'> | undefined
  /** Who sends for a node without gas, and binds of others together. */
  readonly redeemers: Redeemers | undefined
  /** Of a unit of gas in the newest block, wei: binds are offered to redeemers where the lane's account could send them; absent where gas costs nothing. @throws what the chain throws */
  readonly baseFee?: ((signal: AbortSignal) => Promise<bigint>) | undefined
  readonly events: MoneyEventSink
  /** Our address as a provider, 20 bytes. */
  readonly provider: Uint8Array
  readonly winsPerSlot: number
  /** Of a slot, burned when it was used twice. */
  readonly bond: bigint
  /** Of a win, held back for its epoch's service proof (SPEC §17.5). */
  readonly heldPerWin: bigint
  /** Blocks, its own included, before what the chain says is written down for good. */
  readonly confirmations: number
  readonly policy: BatchPolicy
  readonly worth: GasWorth
  /** Wall clock. */
  readonly nowMs: () => number
  /** Draws how long wins wait for company: from a source that nobody can guess. */
  readonly random: UnitRandom
  readonly onAlert: (alert: RedemptionAlert) => void
  /** What was told holds no more; only of those that last. */
  readonly onAlertOver?: ((type: RedemptionAlert['type']) => void) | undefined
}
