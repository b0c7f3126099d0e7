/**
 * What redemption asks of others who send its claims for a fee (SPEC §14.5, §15.7).
 * @module
 */
import type { Batch } from './batching.ts'

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
