/** Waiting that can be given up. @module */
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'

/** Waits for a promise that may go on for others when this caller gives up. Rejects with the signal's reason. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // It may fail after this caller has gone, with nobody else to hear of it.
  promise.catch(() => {})
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Waits some time. Rejects with the signal's reason. */
export async function delay(
  delayMs: number,
  signal: AbortSignal,
  timers: Timers = systemTimers,
): Promise<void> {
  if (delayMs === 0) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = timers.after(delayMs, resolve)
  try {
    await untilAborted(promise, signal)
  } finally {
    cancel()
  }
}
