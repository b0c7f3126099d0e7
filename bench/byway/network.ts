/**
 * A Byway network for the bench: an entry, a middle, an exit and a client, each a process of its own, on the loopback or in
 * namespaces. The client's guard is pinned to the entry, as Tor's client is, and every path it reports is kept for checks.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { startChild, waitForLine, type Child } from '../lib/child.ts'
import { makeScratch, removeScratch } from '../lib/scratch.ts'
import { pollUntil } from '../lib/wait.ts'
import type { Wrap } from '../lib/workers.ts'
import { ask, parseLine, type Line } from './line-protocol.ts'
import type { ClientSettings, LoadSettings, NodeSettings, PlainNetwork } from './settings.ts'

/** Where the parts run. Each node has a /16 of its own, so that every path rule of SPEC §10.3 holds. */
export type Places = {
  readonly hosts: readonly [entry: string, middle: string, exit: string]
  readonly wraps?: readonly [entry: Wrap, middle: Wrap, exit: Wrap, client: Wrap] | undefined
}

/** A node that runs. */
export type BywayNode = { readonly id: string; readonly pid: number }

/** A running network. */
export interface BywayNetwork {
  readonly nodes: readonly [entry: BywayNode, middle: BywayNode, exit: BywayNode]
  readonly client: { readonly pid: number; readonly proxyPort: number }
  /** The ids of a circuit's hops, entry first. */
  readonly path: readonly string[]
  /** @throws Error when the client has used another path than `path`, or none. */
  assertPinned(): void
  /** PING round trips of the link to the entry, in milliseconds. */
  ping(): Promise<number>
  /** Milliseconds of one build over a warm link to the entry. */
  build(): Promise<number>
  /** Builds once to the node before the last: warms the programs, not the last link. */
  warm(): Promise<void>
  /** Asks the process of many clients; see `load-process.ts`. */
  load(request: Line): Promise<Line>
  stop(): Promise<void>
}

/** Options of a network. */
export type BywayNetworkOptions = {
  readonly name: string
  readonly hops: 1 | 2 | 3
  readonly places: Places
  readonly originPort: number
  /** Called before the client starts, when no circuit was ever built. */
  readonly beforeClient?:
    | ((early: Pick<BywayNetwork, 'build' | 'warm'>) => Promise<void>)
    | undefined
}

/** Nodes are up in half a second; links of 150 ms and a busy machine take longer. */
const START_TIMEOUT_MS = 60_000
/** Two thousand links and five thousand circuits. */
const LOAD_TIMEOUT_MS = 300_000
const PING_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 8_000
/** RFC 6996: AS numbers for private use begin here. */
const FIRST_ASN = 64_512
const COUNTRIES = ['DE', 'SE', 'NL'] as const
const GUARD_LIFE_MS = 30 * 86_400_000

/** As `byway` starts its own program: the flags of `packages/cli/bin/run-child.mjs`. */
const USER_FLAGS = ['--conditions=byway:source', '--max-semi-space-size=4']

/** Starts the network; resolves when every part knows the others. */
export async function startBywayNetwork(options: BywayNetworkOptions): Promise<BywayNetwork> {
  const scratch = makeScratch(options.name)
  const children: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(
      children
        .splice(0)
        .toReversed()
        .map((child) => child.stop(STOP_GRACE_MS)),
    )
    removeScratch(scratch)
  }
  try {
    return await startParts(options, scratch, children, stop)
  } catch (cause) {
    await stop()
    throw cause
  }
}

async function startParts(
  { name, hops, places, originPort, beforeClient }: BywayNetworkOptions,
  scratch: string,
  children: Child[],
  stop: () => Promise<void>,
): Promise<BywayNetwork> {
  const start = async (label: string, place: number, settings: object): Promise<[Child, Line]> => {
    const child = await startScript(`${name} ${label}`, label, places.wraps?.[place], settings)
    children.push(child)
    return [child, await readyLine(child)]
  }
  const startNode = async (index: 0 | 1 | 2, network: PlainNetwork) => {
    const home = makeHome(scratch, `node-${index}`)
    const settings: NodeSettings = { network, home, host: places.hosts[index], isExit: index === 2 }
    const [child, ready] = await start('node', index, settings)
    return { child, id: String(ready['nodeId']), pid: child.pid, port: Number(ready['port']) }
  }
  const alone = networkOf(places.hosts, originPort)
  const entry = await startNode(0, alone)
  const contact = { nodeId: entry.id, address: places.hosts[0], port: entry.port }
  const network: PlainNetwork = { ...alone, bootstrap: [contact] }
  const nodes = [entry, await startNode(1, network), await startNode(2, network)] as const
  await untilAll(
    nodes.map(({ child }) => child),
    'descriptors',
  )

  const path = pathOf(hops, nodes)
  const loadSettings: LoadSettings = { network }
  const [load] = await start('load', 3, loadSettings)
  const askLoad = (request: Line): Promise<Line> => ask(load, request, LOAD_TIMEOUT_MS)
  const build = async (): Promise<number> =>
    Number((await askLoad({ do: 'build', path }))['buildMs'])
  const warm = async (): Promise<void> =>
    void (await askLoad({ do: 'warm', path: path.slice(0, -1) }))
  await beforeClient?.({ build, warm })

  const home = makeHome(scratch, 'client')
  pinGuard(home, entry.id)
  const clientSettings: ClientSettings = { network, home, hops }
  const paths = new Set<string>()
  const [client, ready] = await start('client', 3, clientSettings)
  client.onLine((text) => {
    const line = parseLine(text)
    if (line?.['event'] === 'path' && Array.isArray(line['hops'])) paths.add(line['hops'].join())
  })
  await untilAll([client], 'nodes')
  return {
    nodes,
    client: { pid: client.pid, proxyPort: Number(ready['port']) },
    path,
    assertPinned: () => {
      if (paths.size === 0) throw new Error('byway reported no path')
      if (Array.from(paths).some((one) => one !== path.join())) {
        throw new Error('a circuit of byway left the pinned path')
      }
    },
    ping: async () => {
      const { guards } = await ask(client, { do: 'ping' }, PING_TIMEOUT_MS)
      const found = (guards as { nodeId: string; rttMs?: number }[]).find(
        ({ nodeId }) => nodeId === path[0],
      )
      if (found?.rttMs === undefined) throw new Error('the entry did not answer a PING')
      return found.rttMs
    },
    build,
    warm,
    load: askLoad,
    stop,
  }
}

function networkOf(hosts: Places['hosts'], originPort: number): PlainNetwork {
  const asnTable = hosts.map((host, index) => ({
    prefix: `${host.split('.').slice(0, 2).join('.')}.0.0/16`,
    asn: FIRST_ASN + index,
    country: COUNTRIES[index] ?? 'DE',
  }))
  return {
    name: 'bench',
    local: true,
    reachablePrefixes: asnTable.map(({ prefix }) => prefix),
    asnTable,
    bootstrap: [],
    exitTargets: [{ address: '127.0.0.1', port: originPort }],
  }
}

function pathOf(hops: 1 | 2 | 3, [entry, middle, exit]: BywayNetwork['nodes']): string[] {
  const places = { 1: [exit], 2: [entry, exit], 3: [entry, middle, exit] }[hops]
  return places.map(({ id }) => id)
}

/** The guards' file as the client itself writes it; the other nodes fill the places behind. */
function pinGuard(home: string, key: string): void {
  const addedAtMs = Date.now()
  const guard = { key, addedAtMs, expiresAtMs: addedAtMs + GUARD_LIFE_MS, unlistedSinceMs: null }
  const state = { version: 1, sample: [guard], fallbacks: 0, switchedAtMs: null }
  writeFileSync(join(home, 'guards.json'), JSON.stringify(state), { mode: 0o600 })
}

function makeHome(scratch: string, name: string): string {
  const home = join(scratch, name)
  mkdirSync(home, { mode: 0o700 })
  return home
}

async function untilAll(children: readonly Child[], field: string): Promise<void> {
  await pollUntil('a whole directory', START_TIMEOUT_MS, async () => {
    const found = await Promise.all(
      children.map((child) => ask(child, { do: 'status' }, START_TIMEOUT_MS)),
    )
    return found.every((status) => status[field] === 3) || undefined
  })
}

function startScript(
  name: string,
  script: string,
  wrap: Wrap | undefined,
  settings: object,
): Promise<Child> {
  const file = fileURLToPath(new URL(`./${script}-process.ts`, import.meta.url))
  const args = [...USER_FLAGS, file, JSON.stringify(settings)]
  const line = wrap?.(process.execPath, args) ?? { command: process.execPath, args }
  return startChild(name, line.command, line.args)
}

function readyLine(child: Child): Promise<Line> {
  return waitForLine(child, START_TIMEOUT_MS, (text) => {
    const line = parseLine(text)
    return line?.['event'] === 'ready' ? line : undefined
  })
}
