/** Waiting for a state that no event announces: looks once in each turn of the event loop, with a limit. */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'

/** Resolves as soon as `holds` does; fails, naming what was waited for, after `timeoutMs`. */
export async function until(what: string, holds: () => boolean, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!holds()) {
    assert.ok(performance.now() < deadline, `gave up waiting: ${what}`)
    await wait(5)
  }
}

/** Fails when the promise does not settle in time. */
export async function within<T>(what: string, timeoutMs: number, promise: Promise<T>): Promise<T> {
  const timer = Promise.withResolvers<never>()
  const id = setTimeout(() => timer.reject(new Error(`gave up waiting: ${what}`)), timeoutMs)
  try {
    return await Promise.race([promise, timer.promise])
  } finally {
    clearTimeout(id)
  }
}
