/**
 * A Byway network over distance: four namespaces in a row, joined by emulated links, with a bench network's processes inside.
 *
 *   client ══ entry ══ middle ══ exit (origin)      each ══ 25 ms one way
 *
 * The nodes forward packets as routers too, so that a direct connection takes the very same links.
 */
import { execFileSync } from 'node:child_process'

import type { EmulatedLink, LinkSettings } from '../../e2e/lib/link-emulator.ts'
import { createNetworkLab, type Namespace, type NetworkLab } from '../../e2e/lib/network-lab.ts'
import { startDownloader, startOrigin, type Downloader, type Origin } from '../lib/workers.ts'
import { startBywayNetwork, type BywayNetwork } from './network.ts'

/** One way of each link; the round trip is twice this, and that of the path six times. */
export const LINK_DELAY_MS = 25
const WARMING_BUILDS = 5
/** Addresses on the loopback of each node's namespace, one /16 each. */
const HOSTS = ['10.101.0.1', '10.102.0.1', '10.103.0.1'] as const

/** What runs in the lab. */
export interface DistanceLab {
  readonly network: BywayNetwork
  readonly origin: Origin
  /** Runs in the client's namespace. */
  readonly downloader: Downloader
  /** Where the origin is for a direct connection over the same links. */
  readonly directHost: string
  /** Milliseconds of the first build to the exit, when the link between middle and exit was still to be opened. */
  readonly coldBuildMs: number
  /** The link between client and entry. */
  readonly firstLink: EmulatedLink
  stop(): Promise<void>
}

/** Options of a lab. */
export type DistanceLabOptions = {
  readonly congestionControl: string
  readonly settings?: LinkSettings | undefined
}

/** Starts everything; root is needed (`missingPrivileges`). */
export async function startDistanceLab(options: DistanceLabOptions): Promise<DistanceLab> {
  const lab = createNetworkLab()
  const parts: (() => Promise<void>)[] = [() => lab.close()]
  const stop = async (): Promise<void> => {
    for (const end of parts.splice(0).toReversed()) await end()
  }
  try {
    const { namespaces, links } = await buildRow(lab, options)
    const [client, entry, middle, exit] = namespaces
    const origin = await startOrigin('0.0.0.0', exit.wrap)
    parts.push(() => origin.stop())
    const downloader = await startDownloader(client.wrap)
    parts.push(() => downloader.stop())
    let coldBuildMs = 0
    const network = await startBywayNetwork({
      name: `distance-${options.congestionControl}`,
      hops: 3,
      places: { hosts: HOSTS, wraps: [entry.wrap, middle.wrap, exit.wrap, client.wrap] },
      originPort: origin.port,
      beforeClient: async (early) => {
        // The link shall be cold, not the programs: each has built circuits before, only not to the exit.
        for (let count = 0; count < WARMING_BUILDS; count++) await early.warm()
        coldBuildMs = await early.build()
      },
    })
    parts.push(() => network.stop())
    return {
      network,
      origin,
      downloader,
      directHost: HOSTS[2],
      coldBuildMs,
      firstLink: links[0],
      stop,
    }
  } catch (cause) {
    await stop()
    throw cause
  }
}

type Row = {
  readonly namespaces: readonly [Namespace, Namespace, Namespace, Namespace]
  readonly links: readonly [EmulatedLink, EmulatedLink, EmulatedLink]
}

async function buildRow(
  lab: NetworkLab,
  { congestionControl, settings }: DistanceLabOptions,
): Promise<Row> {
  const add = (label: string): Namespace => lab.addNamespace(label, { congestionControl })
  const namespaces = [add('client'), add('entry'), add('middle'), add('exit')] as const
  const [client, entry, middle, exit] = namespaces
  const join = (left: Namespace, right: Namespace): Promise<EmulatedLink> =>
    lab.addLink(left, right, { delayMs: LINK_DELAY_MS, ...settings })
  const links = [
    await join(client, entry),
    await join(entry, middle),
    await join(middle, exit),
  ] as const
  const row: Row = { namespaces, links }
  routeRow(row, congestionControl)
  return row
}

/** Gives each node its address and, along the row, routes to all others. */
function routeRow({ namespaces, links }: Row, congestionControl: string): void {
  const addresses = [links[0].leftAddress, ...HOSTS]
  namespaces.forEach(({ name }, place) => {
    const ip = (...args: string[]): void => void execFileSync('ip', ['-n', name, ...args])
    const own = addresses[place] ?? ''
    if (place > 0) ip('addr', 'add', `${own}/32`, 'dev', 'lo')
    addresses.forEach((address, target) => {
      // The neighbour's end of a link has a route of its own already.
      if (target === place || (target === 0 && place === 1)) return
      const device = links[target > place ? place : place - 1]?.deviceName ?? ''
      const way = ['dev', device, 'src', own, 'congctl', congestionControl]
      ip('route', 'add', `${address}/32`, ...way)
    })
    const forward = ['netns', 'exec', name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']
    execFileSync('ip', forward)
  })
}
