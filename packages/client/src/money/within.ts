/** Waiting for an answer of a hop. @module */
import { untilAborted } from '../engine/abort.ts'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import { moneyError } from './errors.ts'

/** Waits for a hop's answer. @throws PAYMENT_REFUSED when it takes longer, or the signal's reason */
export async function answerWithin<T>(
  promise: Promise<T>,
  waitMs: number,
  signal: AbortSignal,
  timers: Timers = systemTimers,
): Promise<T> {
  const late = new AbortController()
  const onLate = (): void => late.abort(moneyError('PAYMENT_REFUSED', { verdict: 'NO_ANSWER' }))
  const stop = timers.after(waitMs, onLate)
  try {
    return await untilAborted(promise, AbortSignal.any([signal, late.signal]))
  } finally {
    stop()
  }
}
