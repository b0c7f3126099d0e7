/**
 * A small network in this process: honest nodes by `createNode`, probes beside them, clients whose guards the test names. Addresses are
 * 127.N.0.1, each its own prefix and system, so that every path rule holds as in the world.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createClient } from '@byway/client'
import type { Client, ClientOptions, DialOptions, Selection } from '@byway/client'
import { createNode } from '@byway/node'
import type { NodeOptions, RunningNode } from '@byway/node'
import type { ExitTarget, NetworkParameters } from '@byway/protocol/directory'
import { nodeKeyOf } from '@byway/protocol/directory'
import { startProbe } from './probe-node.ts'
import type { ProbeNode, ProbeOptions } from './probe-node.ts'
import { until } from './until.ts'

const START_MS = 20_000
const COUNTRIES = ['DE', 'FR', 'NL', 'SE', 'US', 'JP', 'CH', 'AT'] as const

/** An honest node with the key that paths name it by. */
export type HonestNode = { readonly node: RunningNode; readonly key: string }

/** A network that grows as the test asks. */
export interface HostileNet extends AsyncDisposable {
  readonly folder: string
  network(): NetworkParameters
  honest(options?: Partial<NodeOptions>): Promise<HonestNode>
  probe(options?: Partial<ProbeOptions>): Promise<ProbeNode>
  /** A client that enters by these guards, the first preferred. */
  client(
    guards: readonly { readonly key: string }[],
    options?: Partial<ClientOptions>,
  ): Promise<Client>
  /** Ends when each node knows them all. */
  settled(): Promise<void>
}

/** Makes an empty network whose exits may reach these targets; the test's end takes it down. @param ownCountry - where its table has 127.0.0.1, from which all dial; nowhere by default */
export async function makeNet(
  t: TestContext,
  exitTargets: readonly ExitTarget[],
  ownCountry?: string,
): Promise<HostileNet> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-hostile-'))
  const parts = new AsyncDisposableStack()
  const nodes: (() => number)[] = []
  let made = 0
  let network: NetworkParameters = {
    name: 'hostile',
    local: true,
    reachablePrefixes: ['127.0.0.0/8'],
    asnTable: [
      ...COUNTRIES.map((country, index) => ({
        prefix: `127.${index + 2}.0.0/16`,
        asn: 64_512 + index,
        country,
      })),
      ...(ownCountry === undefined
        ? []
        : [{ prefix: '127.0.0.0/16', asn: 0, country: ownCountry }]),
    ],
    bootstrap: [],
    exitTargets: exitTargets.map(({ address, port }) => ({ address, port })),
  }
  const nextHost = (): string => `127.${++made + 1}.0.1`
  const home = (): Promise<string> => mkdtemp(join(folder, 'home-'))
  function joined(
    nodeId: Uint8Array,
    listen: { host: string; port: number } | undefined,
    count: () => number,
  ): void {
    nodes.push(count)
    if (network.bootstrap.length > 0 || !listen) return
    network = { ...network, bootstrap: [{ nodeId, address: listen.host, port: listen.port }] }
  }
  const net: HostileNet = {
    folder,
    network: () => network,
    async honest(options = {}) {
      const listen = { host: nextHost(), port: 0 }
      const node = parts.use(createNode({ network, home: await home(), listen, ...options }))
      await node.start(AbortSignal.timeout(START_MS))
      joined(node.nodeId, node.listen, () => node.status().descriptors)
      return { node, key: nodeKeyOf(node.nodeId) }
    },
    async probe(options = {}) {
      const probe = await startProbe({ network, home: await home(), host: nextHost(), ...options })
      parts.use(probe)
      joined(probe.nodeId, probe.listen, () => probe.descriptors)
      return probe
    },
    async client(guards, options = {}) {
      const clientHome = await home()
      await writeFile(join(clientHome, 'guards.json'), guardFile(guards))
      const client = parts.use(createClient({ network, home: clientHome, ...options }))
      await client.start(AbortSignal.timeout(START_MS))
      return client
    },
    settled: () =>
      until('every node knows all', () => nodes.every((count) => count() === nodes.length)),
    async [Symbol.asyncDispose]() {
      await parts.disposeAsync()
      await rm(folder, { recursive: true, force: true })
    },
  }
  t.after(() => net[Symbol.asyncDispose]())
  return net
}

function guardFile(guards: readonly { readonly key: string }[]): string {
  const now = Date.now()
  const sample = guards.map(({ key }) => ({
    key,
    addedAtMs: now,
    expiresAtMs: now + 86_400_000,
    unlistedSinceMs: null,
  }))
  return JSON.stringify({ version: 1, sample, fallbacks: 0, switchedAtMs: null })
}

let lastUser = 0

/** Options of a dial that shares its tunnel with no other, unless a user is named. */
export function dialAs(
  user: string = `user-${++lastUser}`,
  selection: Selection = {},
  signal: AbortSignal = AbortSignal.timeout(40_000),
): DialOptions {
  const isolation = {
    listener: 'test',
    sourceAddress: '127.0.0.1',
    username: user,
    password: 'x',
    portClass: 'web',
  } as const
  return { isolation, selection, signal }
}
