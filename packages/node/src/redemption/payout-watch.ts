/**
 * Watches where a node's earnings go (SPEC §14.6): a change waits in the registry before it takes effect, so that whoever did not make it can take it back. That wants somebody who tells.
 * @module
 */
import type { ChainView } from '@byway/chain'
import { isBywayError, toHex } from '@byway/protocol/base'
import type { Registration } from '@byway/protocol/payment'

/** A change that waits. */
export type PayoutChange = NonNullable<Registration['nextPayout']>

export type PayoutWatchDeps = {
  readonly chain: Pick<ChainView, 'registration'>
  /** Our address as a provider, 20 bytes. */
  readonly provider: Uint8Array
  /** Told of a change that begins, and with undefined when none waits any more. Must not throw. */
  readonly onChange: (change: PayoutChange | undefined) => void
  /** Monotonic. */
  readonly nowMs: () => number
}

/** The watch. */
export interface PayoutWatch {
  /** Looks when it is time to; a chain that cannot be asked changes nothing. */
  look(signal: AbortSignal): Promise<void>
}

// Local limit (tunable): docs/LIMITS.md.
/** The registry waits for days. */
const PAYOUT_LOOK_MS = 600_000

/** Creates a watch that has not looked yet. */
export function createPayoutWatch(deps: PayoutWatchDeps): PayoutWatch {
  const { chain, provider, onChange, nowMs } = deps
  let known = NONE
  let dueMs = Number.NEGATIVE_INFINITY
  return {
    async look(signal) {
      if (nowMs() < dueMs) return
      dueMs = nowMs() + PAYOUT_LOOK_MS
      try {
        const change = (await chain.registration(provider, signal))?.nextPayout
        const name = change ? `${toHex(change.to)} ${change.fromS}` : NONE
        if (name !== known) onChange(change)
        known = name
      } catch (error) {
        if (!isBywayError(error) || error.kind !== 'chain') throw error
      }
    },
  }
}

const NONE = ''
