/** Waiting for a state that no event announces: looks once in each turn of the event loop. */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'

/** Ends a wait that would never end. What is waited for has limits of its own, far below this. */
const HANG_MS = 60_000

/** Resolves as soon as `holds` does; fails, naming what was waited for, when that never comes. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + HANG_MS
  while (!holds()) {
    assert.ok(performance.now() < deadline, `gave up waiting: ${what}`)
    await wait(5)
  }
}

/** Fails, naming what was waited for, when the promise never settles. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const timer = Promise.withResolvers<never>()
  const id = setTimeout(() => timer.reject(new Error(`gave up waiting: ${what}`)), HANG_MS)
  try {
    return await Promise.race([promise, timer.promise])
  } finally {
    clearTimeout(id)
  }
}
