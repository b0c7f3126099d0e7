/**
 * Holds a stream back for a moment when a rate limit refuses it, instead of failing a page that opens many connections at once.
 * Limits count as before: a held stream is asked again and is refused when its time is up. Long refusals are not waited for.
 */
import { setTimeout } from 'node:timers/promises'
import { exitError } from './exit-errors.ts'
import type { Refusal } from './exit-limits.ts'

/** Asks until admitted. @throws NODE_EXIT_LIMIT when waiting would last too long or too many wait; the signal's reason */
export type Hold = <T>(
  ask: () => { readonly value: T } | Refusal,
  signal: AbortSignal,
) => Promise<T>

/** Creates a hold that waits at most `holdMs` for each stream. */
export function createHold(holdMs: number): Hold {
  let heldCount = 0
  return async (ask, signal) => {
    let leftMs = holdMs
    for (;;) {
      signal.throwIfAborted()
      const answer = ask()
      if ('value' in answer) return answer.value
      const waitMs = Math.max(answer.retryAfterMs, LEAST_WAIT_MS)
      if (waitMs > leftMs || heldCount >= MAX_HELD_STREAMS) {
        throw exitError('NODE_EXIT_LIMIT', {
          limit: answer.refused,
          retryAfterMs: answer.retryAfterMs,
        })
      }
      leftMs -= waitMs
      heldCount++
      try {
        await setTimeout(waitMs, undefined, { signal })
      } catch {
        signal.throwIfAborted()
      } finally {
        heldCount--
      }
    }
  }
}

/** Many wait for one token: none asks more often than this. */
const LEAST_WAIT_MS = 100

/** Streams held at once: eight circuits' worth of BEGINs beyond their burst. */
const MAX_HELD_STREAMS = 256
