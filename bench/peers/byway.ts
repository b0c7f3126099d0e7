/**
 * Byway itself, as `byway testnet` runs it: real processes on loopback. Roles come from the paths that the client
 * reports; without such a report an only exit is `exit` and every other node is `relay`.
 */
import { fileURLToPath } from 'node:url'

import { startChild, waitForLine, type Child } from '../lib/child.ts'
import type { Role, RoleProcess, SystemUnderTest } from '../lib/system.ts'
import {
  parseTestnetLine,
  proxyPort,
  testnetArguments,
  type PathEvent,
  type ReadyEvent,
  type TestnetNode,
} from './byway-contract.ts'

/** The network is up in a few seconds; a busy machine may take several times that. */
const START_TIMEOUT_MS = 60_000
/** Its own drain of circuits must fit. */
const STOP_GRACE_MS = 15_000
/** Paths kept: more than the circuits that eight isolated streams and the stock need. */
const MAX_PATHS = 64

/** Creates the system with circuits of `hops` hops. */
export function createByway(hops: 1 | 2 | 3): SystemUnderTest {
  let child: Child | undefined
  let ready: ReadyEvent | undefined
  let paths: PathEvent[] = []
  const network = (): ReadyEvent => {
    if (!ready) throw new Error('byway is not running')
    return ready
  }
  return {
    name: `byway-${hops}`,
    description: `Byway, ${hops} ${hops === 1 ? 'hop' : 'hops'}, flow control on, payment off`,
    start: async (originPort) => {
      const cli = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))
      const args = ['--conditions=byway:source', cli, ...testnetArguments(hops, originPort)]
      child = await startChild('byway testnet', process.execPath, args)
      child.onLine((line) => {
        const event = parseTestnetLine(line)
        if (event?.event === 'path') paths = [...paths, event].slice(-MAX_PATHS)
      })
      ready = await waitForLine(child, START_TIMEOUT_MS, (line) => {
        const event = parseTestnetLine(line)
        return event?.event === 'ready' ? event : undefined
      })
    },
    route: () => ({ kind: 'socks5', port: proxyPort(network().proxy) }),
    processes: () => Promise.resolve(assignRoles(network(), paths)),
    stop: async () => {
      await child?.stop(STOP_GRACE_MS)
      ready = undefined
    },
  }
}

/** Gives each process its role. Two paths that disagree about a node leave it a plain `relay`. */
export function assignRoles(network: ReadyEvent, paths: readonly PathEvent[]): RoleProcess[] {
  const exits = network.nodes.filter((node) => node.roles.includes('exit'))
  const roleOf = (node: TestnetNode): Role => {
    if (paths.length === 0) return exits.length === 1 && exits[0] === node ? 'exit' : 'relay'
    const roles = new Set(
      paths.filter(({ hops }) => hops.includes(node.id)).map((path) => placeOf(node.id, path)),
    )
    if (roles.size > 1) return 'relay'
    return roles.values().next().value ?? 'idle'
  }
  const nodes = network.nodes.map((node) => ({ role: roleOf(node), pid: node.pid }))
  return [{ role: 'client', pid: network.client.pid }, ...nodes]
}

function placeOf(id: string, { hops }: PathEvent): Role {
  if (hops.at(-1) === id) return 'exit'
  return hops[0] === id ? 'entry' : 'middle'
}
