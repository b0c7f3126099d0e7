/** Short waits of start and stop. @module */

const PAUSE_MS = 25

/** Waits a moment, or less when the signal aborts. Never rejects. */
export async function pause(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const onAbort = (): void => resolve()
  const timer = setTimeout(resolve, PAUSE_MS)
  signal.addEventListener('abort', onAbort, { once: true })
  await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
}
