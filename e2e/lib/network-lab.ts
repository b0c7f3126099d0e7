/** Network namespaces for tests and benches, and emulated links between them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

import {
  createNamespaces,
  missingForNamespaces,
  type Namespace as BareNamespace,
} from '../../packages/testnet/src/nat/namespaces.ts'
import { endOnSignals } from './end-on-signals.ts'
import { startLink, type EmulatedLink, type LinkSettings } from './link-emulator.ts'

/** One network namespace, with its loopback up. */
export type Namespace = BareNamespace & { readonly congestionControl: string | undefined }

/** Options of a namespace. */
export type NamespaceOptions = {
  /** TCP congestion control of what it sends over links, for instance `cubic` or `bbr`; the machine's own when absent. */
  readonly congestionControl?: string | undefined
}

/** A set of namespaces and links that ends as one. */
export interface NetworkLab {
  /** Makes a namespace; `label` is at most 12 letters, digits or dashes and unique in the lab. */
  addNamespace(label: string, options?: NamespaceOptions): Namespace
  /** Joins two namespaces by an emulated link of its own subnet. At most 200 per lab. */
  addLink(left: Namespace, right: Namespace, settings?: LinkSettings): Promise<EmulatedLink>
  /** Deletes everything. Safe to call twice. */
  close(): Promise<void>
}

/** A link's subnet is 10.77.N.0/30. */
const MAX_LINKS = 200

/** Says what is missing to make namespaces and links here, or nothing. Tests skip with this sentence. */
export function missingPrivileges(): string | undefined {
  const missing = missingForNamespaces()
  if (missing !== undefined) return missing
  if (spawnSync('python3', ['-V']).error) return 'python3 is not installed'
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return '/dev/net/tun is missing'
  }
}

/** Creates an empty lab, after deleting what ended processes left. It is deleted when this one is interrupted, too. */
export function createNetworkLab(): NetworkLab {
  endOnSignals()
  const namespaces = createNamespaces()
  const links: EmulatedLink[] = []
  return {
    addNamespace: (label, { congestionControl } = {}) => ({
      ...namespaces.add(label),
      congestionControl,
    }),
    addLink: async (left, right, settings = {}) => {
      if (links.length >= MAX_LINKS) throw new RangeError(`a lab has at most ${MAX_LINKS} links`)
      const link = await startLink(
        { left: left.name, right: right.name, index: links.length },
        settings,
      )
      links.push(link)
      setCongestionControl(left, link.rightAddress, link.deviceName)
      setCongestionControl(right, link.leftAddress, link.deviceName)
      return link
    },
    close: async () => {
      await Promise.all(links.splice(0).map((link) => link.close()))
      namespaces.close()
    },
  }
}

/** By route, since a namespace may choose by sysctl only among what the machine allows to every user. */
function setCongestionControl(
  { name, congestionControl }: Namespace,
  peer: string,
  device: string,
): void {
  if (congestionControl === undefined) return
  execFileSync('ip', [
    '-n',
    name,
    'route',
    'replace',
    peer,
    'dev',
    device,
    'congctl',
    congestionControl,
  ])
}
