/** Steps of service proofs that a node without coin has left with redeemers (SPEC §15.7, §17.5): what each is offered, and when others are asked. */
import type { CommitEntries, ProofStep, Redeemers } from './redeemers.ts'

/** Keeps what was left with whom, by step and epoch. */
export interface LeftSteps {
  /** Leaves a commitment, for a quarter of what was held back; the next time, where nobody took that, for half. True while somebody has it. */
  commit(
    step: { readonly entries: CommitEntries },
    fees: Fees,
    times: StepTimes,
    signal: AbortSignal,
  ): Promise<boolean>
  /** Leaves another step; what it brings stands in the contract. True while somebody has it. */
  leave(step: ProofStep, times: StepTimes, signal: AbortSignal): Promise<boolean>
  forgetBefore(epoch: number): void
}

/** What waits for the commitment, and the most that each of its sender and who settles may get; the token's smallest part. */
export type Fees = { readonly due: bigint; readonly most: bigint }

/** By the chain's clock. */
export type StepTimes = { readonly timeS: number; readonly deadlineS: number }

// Local limits (tunable): docs/LIMITS.md.
/** A step that the chain does not show after this is left with others, as a claim is; one that nobody took is offered again. */
const STEP_RETRY_S = 180
/** A redeemer takes no order that ends sooner. */
const LEAST_LEFT_S = 60

/** Creates it; without redeemers nobody ever has anything. */
export function createLeftSteps(
  redeemers: Pick<Redeemers, 'handOverProof'> | undefined,
): LeftSteps {
  const left = new Map<string, { readonly atS: number; readonly isTaken: boolean }>()
  /** Asks, unless somebody was asked lately. */
  const leave = async (
    step: ProofStep,
    { timeS, deadlineS }: StepTimes,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const name = nameOf(step.entries)
    const last = left.get(name)
    if (last && timeS < last.atS + STEP_RETRY_S) return last.isTaken
    if (deadlineS - timeS < LEAST_LEFT_S) return last?.isTaken ?? false
    const taken = (await redeemers?.handOverProof(step, deadlineS, signal)) ?? 0
    left.set(name, { atS: timeS, isTaken: taken > 0 })
    return taken > 0
  }
  return {
    leave,
    async commit({ entries }, { due, most }, times, signal) {
      // Both fees together leave the provider half of it, or at worst nothing.
      const isRefused = left.get(nameOf(entries))?.isTaken === false
      const share = due / (isRefused ? 2n : 4n)
      const fee = share < most ? share : most
      return await leave({ entries, fee }, times, signal)
    },
    forgetBefore(epoch) {
      for (const name of left.keys()) if (Number(name.split(' ')[1]) < epoch) left.delete(name)
    },
  }
}

function nameOf({ kind, epoch }: ProofStep['entries']): string {
  return `${kind} ${epoch}`
}
