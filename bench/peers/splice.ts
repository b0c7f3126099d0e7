/** One plain TCP hop in Node: the floor for anything that relays bytes in this runtime. */
import { fileURLToPath } from 'node:url'

import { startChild, waitForLine, type Child } from '../lib/child.ts'
import type { SystemUnderTest } from '../lib/system.ts'

/** Longest start of the process. */
const START_TIMEOUT_MS = 20_000

/** Creates the splice. */
export function createSplice(): SystemUnderTest {
  let child: Child | undefined
  let port = 0
  return {
    name: 'splice',
    description: `plain TCP through one Node ${process.versions.node} process`,
    start: async (originPort) => {
      const script = fileURLToPath(new URL('./splice-relay.ts', import.meta.url))
      child = await startChild('splice', process.execPath, [script, String(originPort)])
      port = await waitForLine(
        child,
        START_TIMEOUT_MS,
        (line) => (JSON.parse(line) as { port?: number }).port,
      )
    },
    route: () => ({ kind: 'tcp', port }),
    processes: () => Promise.resolve(child ? [{ role: 'relay', pid: child.pid }] : []),
    stop: async () => child?.stop(),
  }
}
