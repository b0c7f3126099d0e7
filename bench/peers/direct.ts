/** No relay at all: what the origin, the downloader and loopback can do by themselves. */
import type { Route } from '../lib/route.ts'
import type { SystemUnderTest } from '../lib/system.ts'

/** Creates the system without a hop. */
export function createDirect(): SystemUnderTest {
  let route: Route = { kind: 'tcp', port: 0 }
  return {
    name: 'direct',
    description: 'plain TCP on loopback, no hop',
    start: (originPort) => {
      route = { kind: 'tcp', port: originPort }
      return Promise.resolve()
    },
    route: () => route,
    processes: () => Promise.resolve([]),
    stop: () => Promise.resolve(),
  }
}
