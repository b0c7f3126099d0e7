/**
 * What the engines see of the chain: writing. One lane per account: it numbers transactions, stores each before it is sent, raises the fee of a stuck one, sends
 * again what a reorg dropped, and goes on after a restart (ADR-0010).
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContractCall, Hex, TransactionReceipt } from '@byway/protocol/payment'

/** A call and how it is to be sent. */
export type LaneCall = ContractCall & {
  /**
   * What it is for, such as `lock:<nullifier>`; letters, digits and `:-_.`, at most 160. Asking again with the same key sends nothing new: it gives the transaction
   * that is there, also after a restart. A call that was mined and failed, or was lost, may be asked for again.
   */
  readonly key: string
  /** The most that a unit of gas may cost, wei. @default the lane's own cap */
  readonly feeCap?: bigint | undefined
  /** Gas to ask for without an estimate, as for calls that need an earlier one of this lane mined. At most `gasCap`. */
  readonly gas?: bigint | undefined
}

/** A transaction that is on its way or has arrived. */
export type LaneTransaction = {
  readonly key: string
  readonly nonce: number
  /** Of its newest form. */
  readonly hash: Hex
  /**
   * Resolves once it is as deep in the chain as the lane's `confirmations`.
   * Rejects with CHAIN_TRANSACTION_FAILED when it was mined and changed nothing, CHAIN_TRANSACTION_LOST when its nonce went to another transaction, and
   * CHAIN_LANE_STOPPED when the lane stops before: it is still stored then, and goes on with the next start.
   */
  readonly confirmed: Promise<TransactionReceipt>
}

/** How a lane is doing, for status and alerts. */
export type LaneStatus = {
  readonly pending: number
  /** Blocks since the oldest pending one was first sent; 0 with none pending. */
  readonly oldestBlocks: number
  /** True while a pending one waits because gas costs more than its cap. */
  readonly isWaitingForGas: boolean
  /** True when the last look could not ask the chain. */
  readonly isChainAway: boolean
}

/** Told what a person may have to act on. Handlers must not throw. */
export type LaneAlert =
  | { readonly type: 'stuck'; readonly nonce: number; readonly blocks: number }
  | { readonly type: 'gas-dear'; readonly baseFeeGwei: number; readonly feeCapGwei: number }
  | { readonly type: 'unsigned'; readonly nonce: number }
  | { readonly type: 'nonce-gap'; readonly nonce: number }
  | { readonly type: 'lost'; readonly nonce: number }

/** Disposing stops it; what is stored goes on with the next lane of the account. */
export interface TransactionLane extends AsyncDisposable {
  /** 20 bytes. */
  readonly account: Uint8Array
  /**
   * Sends a call once; resolves when it is stored and was handed to the chain (or could not be just now: it is sent again with each look).
   * @throws CHAIN_GAS_DEAR (ask again later), CHAIN_GAS_CAP, CHAIN_REVERTED (it would change nothing; carries the contract's error), CHAIN_NO_COIN,
   *   CHAIN_UNSIGNED (ask again later), CHAIN_LANE_FULL, CHAIN_UNREACHABLE, CHAIN_DISAGREE, or the signal's reason. Nothing was stored then.
   */
  send(call: LaneCall, signal: AbortSignal): Promise<LaneTransaction>
  /**
   * Lets a transaction that is on its way cost more, wei a unit of gas, and those before it, which hold it up: from then on their replacements go up to this cap, also after a
   * restart. A cap that is not higher, and a key under which nothing is pending, change nothing.
   * @throws CHAIN_LANE_STOPPED, and what the store throws
   */
  raise(key: string, feeCap: bigint): Promise<void>
  /**
   * Looks at the chain once: settles what was mined, sends again what was forgotten, raises fees, closes gaps. A program calls it with each new block; never
   * throws for a chain that cannot be asked, nor for a signer that signs nothing now.
   */
  look(signal: AbortSignal): Promise<LaneStatus>
}

/**
 * Looks again and again until the signal aborts, and tells each status.
 * @throws what the store throws: nothing can be sent then
 */
export async function keepLooking(
  lane: TransactionLane,
  {
    everyMs,
    signal,
    onStatus,
  }: {
    readonly everyMs: number
    readonly signal: AbortSignal
    readonly onStatus?: ((status: LaneStatus) => void) | undefined
  },
): Promise<void> {
  while (!signal.aborted) {
    try {
      const status = await lane.look(signal)
      onStatus?.(status)
    } catch (error) {
      if (!signal.aborted) throw error
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}
