/** Waiting for what another program does, always with an end. */
import { setTimeout as delay } from 'node:timers/promises'

/** Pause between two looks: short beside any start that is waited for. */
const LOOK_EVERY_MS = 100

/** Looks until `look` returns a value. @throws Error naming `what` after `timeoutMs`; what `look` throws, at once. */
export async function pollUntil<T>(
  what: string,
  timeoutMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const endAtMs = performance.now() + timeoutMs
  for (;;) {
    const value = await look()
    if (value !== undefined) return value
    if (performance.now() > endAtMs) throw new Error(`${what} did not come within ${timeoutMs} ms`)
    await delay(LOOK_EVERY_MS)
  }
}
