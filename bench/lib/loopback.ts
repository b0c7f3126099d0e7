/** What the loopback has carried. */
import { readFileSync } from 'node:fs'

/** Bytes that the loopback of this network namespace has carried since it is up, headers included. */
export function readLoopbackBytes(): number {
  const line = /^\s*lo:\s*(\d+)/m.exec(readFileSync('/proc/net/dev', 'latin1'))
  if (!line?.[1]) throw new Error('the kernel does not say what the loopback carries')
  return Number(line[1])
}
