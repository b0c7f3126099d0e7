/** Waiting for a state that nobody announces, always with an end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { testnetError } from './errors.ts'

/** Short beside the start of a process, long beside one question. */
const LOOK_EVERY_MS = 20

export type WaitOptions = { readonly timeoutMs: number; readonly signal: AbortSignal }

/**
 * Looks until `look` says yes.
 * @throws TESTNET_TIMEOUT, the signal's reason, or what `look` throws
 */
export async function waitUntil(
  waitedFor: string,
  look: () => boolean | Promise<boolean>,
  { timeoutMs, signal }: WaitOptions,
): Promise<void> {
  const endAtMs = performance.now() + timeoutMs
  while (!(await look())) {
    if (performance.now() > endAtMs) throw testnetError('TESTNET_TIMEOUT', { waitedFor, timeoutMs })
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}
