/**
 * Publishes the deposit tree's root once in each interval of UTC time (SPEC §14.1): whoever has gas does, after a drawn delay, so that seldom more than one
 * of them pays. Without it no deposit and no refunded slot could ever be used.
 * @module
 */
import type { ChainView, PoolCalls, TransactionLane } from '@byway/chain'
import { isBywayError } from '@byway/protocol/base'
import { sendUnfollowed } from './gas-paid.ts'
import { isPassing } from './passing.ts'

export type RootKeeperDeps = {
  readonly lane: Pick<TransactionLane, 'send'>
  readonly chain: Pick<ChainView, 'head' | 'newestRoot'>
  readonly calls: Pick<PoolCalls, 'snapshot'>
  readonly rootIntervalS: number
  /** In [0, 1). */
  readonly random: () => number
  /** Monotonic. */
  readonly nowMs: () => number
}

/** Keeps roots coming. */
export interface RootKeeper {
  /** Publishes when an interval has begun, its delay is over and nobody else has; does nothing while the chain cannot be asked. @throws what the lane's store throws */
  look(signal: AbortSignal): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Nodes spread over at most so much of an interval, and at most a quarter of it: newcomers wait for the first of them. */
const MAX_SPREAD_S = 1800
/** Nor less, however short the intervals of a local network are. */
const MIN_SPREAD_S = 10

/** Creates a keeper that has published nothing yet. */
export function createRootKeeper(deps: RootKeeperDeps): RootKeeper {
  return new Keeper(deps)
}

class Keeper implements RootKeeper {
  readonly #deps: RootKeeperDeps
  /** The last interval that needs no more of us. */
  #settled = -1
  #dueMs: number | undefined

  constructor(deps: RootKeeperDeps) {
    this.#deps = deps
  }

  async look(signal: AbortSignal): Promise<void> {
    const { chain, nowMs } = this.#deps
    try {
      const interval = this.#intervalOf((await chain.head(signal)).timeS)
      if (interval <= this.#settled) return
      this.#dueMs ??= nowMs() + this.#drawDelayMs()
      if (nowMs() < this.#dueMs) return
      const newest = await chain.newestRoot(signal)
      const isPublished = newest && this.#intervalOf(newest.publishedAtS) >= interval
      if (!isPublished) await this.#publish(interval, signal)
      this.#settled = interval
      this.#dueMs = undefined
    } catch (error) {
      // Away, or gas is dear: the same at a later look.
      if (!isPassing(error)) throw error
    }
  }

  #intervalOf(timeS: number): number {
    return Math.floor(timeS / this.#deps.rootIntervalS)
  }

  #drawDelayMs(): number {
    const { rootIntervalS, random } = this.#deps
    const spreadS = Math.max(MIN_SPREAD_S, Math.min(MAX_SPREAD_S, rootIntervalS / 4))
    return random() * spreadS * 1000
  }

  async #publish(interval: number, signal: AbortSignal): Promise<void> {
    try {
      const call = { ...this.#deps.calls.snapshot(), key: `root:${interval}` }
      await sendUnfollowed(this.#deps.lane, call, signal)
    } catch (error) {
      if (!isBywayError(error) || !NOT_OURS.has(error.code)) throw error
    }
  }
}

/** No new leaf, somebody else's root meanwhile, or no coin for gas: nothing to do in this interval. */
const NOT_OURS: ReadonlySet<string> = new Set(['CHAIN_REVERTED', 'CHAIN_NO_COIN'])
