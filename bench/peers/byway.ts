/** Byway itself on loopback: an entry, a middle, an exit and a client, each a process, in the places of Tor's pinned path. */
import { startBywayNetwork, type BywayNetwork } from '../byway/network.ts'
import type { IdleLoad, Role, RoleProcess, SystemUnderTest } from '../lib/system.ts'

/** One address and /16 for each node; 127.0.0.1 is left to the proxy and the origin. */
const HOSTS = ['127.101.0.1', '127.102.0.1', '127.103.0.1'] as const

/** Creates the system with circuits of `hops` hops; one hop exists in benches only. */
export function createByway(hops: 1 | 2 | 3): SystemUnderTest {
  let started: BywayNetwork | undefined
  const name = `byway-${hops}`
  const network = (): BywayNetwork => {
    if (!started) throw new Error('byway is not running')
    return started
  }
  return {
    name,
    description: `Byway, ${hops} ${hops === 1 ? 'hop (hides nothing)' : 'hops'}, flow control on, payment off`,
    start: async (originPort) => {
      started = await startBywayNetwork({ name, hops, places: { hosts: HOSTS }, originPort })
    },
    route: () => ({ kind: 'socks5', port: network().client.proxyPort }),
    processes: () => {
      network().assertPinned()
      return Promise.resolve(assignRoles(network()))
    },
    // One hop has no entry: what is built and held at one is the longer paths' to show.
    ...(hops === 1 ? {} : { buildCircuit: () => network().build(), ...idleLoads(network) }),
    stop: async () => {
      await started?.stop()
      started = undefined
    },
  }
}

/** Circuits ride on idle links, spread evenly, so that what a circuit adds is the circuit alone. */
function idleLoads(
  network: () => BywayNetwork,
): Pick<SystemUnderTest, 'openIdleLinks' | 'openIdleCircuits'> {
  const loadOf = async (what: 'links' | 'circuits', count: number): Promise<IdleLoad> => {
    const running = network()
    await running.load({ do: what, count, path: running.path })
    return {
      close: async () => {
        const { links } = await running.load({ do: 'standing' })
        await running.load({ do: what === 'links' ? 'closeLinks' : 'closeCircuits' })
        if (what === 'links' && links !== count) {
          throw new Error(`byway closed ${count - Number(links)} of ${count} idle links`)
        }
      },
    }
  }
  return {
    openIdleLinks: (count) => loadOf('links', count),
    openIdleCircuits: (count) => loadOf('circuits', count),
  }
}

/** Gives each process its role on the path; a node off the path is `idle`, and a single hop is the exit. */
export function assignRoles(
  network: Pick<BywayNetwork, 'client' | 'nodes' | 'path'>,
): RoleProcess[] {
  const { client, nodes, path } = network
  const roleOf = (id: string): Role => {
    if (!path.includes(id)) return 'idle'
    if (path.at(-1) === id) return 'exit'
    return path[0] === id ? 'entry' : 'middle'
  }
  return [
    { role: 'client', pid: client.pid },
    ...nodes.map(({ id, pid }) => ({ role: roleOf(id), pid })),
  ]
}
