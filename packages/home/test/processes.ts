/** Whether processes of this machine are there, for the tests of all packages. */
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_MS = 20

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Bounded by the test's own limit. */
export async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(LOOK_MS)
}
