/** Looks at the winners again and again, and soon after a new one. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import { isPassing } from './passing.ts'
import type { Redemption, RedemptionStatus } from './redemption.ts'

/** A redemption that is under way. Disposing ends it after the look that it is at. */
export interface RunningRedemption extends AsyncDisposable {
  /** A winner is on the disk: look soon. */
  wake(): void
  /** Of the last look. */
  readonly status: RedemptionStatus | undefined
}

export type RedeemingOptions = {
  readonly redemption: Pick<Redemption, 'look'>
  /** About a block. */
  readonly everyMs: number
  /** The same while no win is open: only a new one, which wakes it, or a deep reorganisation makes work. */
  readonly idleMs: number
  /** True while something else that the look does must not wait for `idleMs`. */
  readonly isBusy?: (() => boolean) | undefined
  /** The disk failed, or a bug: redemption has ended. Must not throw. */
  readonly onEnded: (error: unknown) => void
}

/** Starts looking. */
export function keepRedeeming({
  redemption,
  everyMs,
  idleMs,
  isBusy = () => false,
  onEnded,
}: RedeemingOptions): RunningRedemption {
  const stop = new AbortController()
  let waiting = new AbortController()
  let status: RedemptionStatus | undefined
  /** Undefined where something stands in the way that passes, such as a disk without room. */
  const lookOnce = async (): Promise<RedemptionStatus | undefined> => {
    try {
      return await redemption.look(stop.signal)
    } catch (error) {
      if (!isPassing(error)) throw error
      return undefined
    }
  }
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      waiting = new AbortController()
      const seen = await lookOnce()
      status = seen ?? status
      const either = AbortSignal.any([stop.signal, waiting.signal])
      const isIdle = seen?.open === 0 && !seen.isChainAway && !isBusy()
      await sleep(isIdle ? idleMs : everyMs, undefined, { signal: either }).catch(() => {})
    }
  }
  const ended = run().catch((error: unknown) => {
    if (!stop.signal.aborted) onEnded(error)
  })
  return {
    wake: () => waiting.abort(),
    get status() {
      return status
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}
