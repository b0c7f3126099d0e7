/** Waiting for a state that nobody announces, always with an end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { testnetError } from './errors.ts'

/** Short beside the start of a network in one process, long beside one look. */
const LOOK_EVERY_MS = 20

export type WaitOptions = {
  readonly timeoutMs: number
  /** Between two looks. @default 20 */
  readonly everyMs?: number | undefined
  readonly signal: AbortSignal
}

/**
 * Looks until `look` says yes.
 * @throws TESTNET_TIMEOUT, the signal's reason, or what `look` throws
 */
export async function waitUntil(
  waitedFor: string,
  look: () => boolean | Promise<boolean>,
  { timeoutMs, everyMs = LOOK_EVERY_MS, signal }: WaitOptions,
): Promise<void> {
  const endAtMs = performance.now() + timeoutMs
  while (!(await look())) {
    if (performance.now() > endAtMs) throw testnetError('TESTNET_TIMEOUT', { waitedFor, timeoutMs })
    await sleep(everyMs, undefined, { signal })
  }
}
