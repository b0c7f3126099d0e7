/**
 * Network namespaces for tests and benches, and emulated links between them. Names carry this process's id; they are
 * deleted by `close`, on exit and on SIGINT and SIGTERM, and what a killed process left behind is deleted by the next.
 * Nothing here touches the machine's own interfaces, routes or firewall.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'

import { startLink, type EmulatedLink, type LinkSettings } from './link-emulator.ts'

/** One network namespace, with its loopback up. */
export type Namespace = {
  readonly name: string
  /** The command line that runs `command` inside. */
  readonly wrap: (command: string, args: readonly string[]) => { command: string; args: string[] }
  readonly congestionControl: string | undefined
}

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

const PREFIX = 'byway'
/** A link's subnet is 10.77.N.0/30. */
const MAX_LINKS = 200

const labs = new Set<{ deleteNamespaces: () => void }>()

/** Says what is missing to make namespaces here, or nothing. Tests skip with this sentence. */
export function missingPrivileges(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const program of ['ip', 'python3']) {
    if (spawnSync(program, ['-V']).error) return `${program} is not installed`
  }
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    return '/dev/net/tun is missing'
  }
  const probe = `${PREFIX}-${process.pid}-probe`
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0)
    return 'this machine forbids network namespaces'
  spawnSync('ip', ['netns', 'del', probe])
  return undefined
}

/** Creates an empty lab, after deleting what ended processes left. */
export function createNetworkLab(): NetworkLab {
  deleteStale()
  guardExit()
  const namespaces = new Set<string>()
  const links: EmulatedLink[] = []
  const lab = {
    deleteNamespaces: () => {
      for (const name of namespaces) spawnSync('ip', ['netns', 'del', name])
      namespaces.clear()
    },
  }
  labs.add(lab)

  return {
    addNamespace: (label, options = {}) => {
      if (!/^[a-z0-9-]{1,12}$/.test(label))
        throw new RangeError('a label has 1 to 12 letters, digits or dashes')
      const name = `${PREFIX}-${process.pid}-${label}`
      execFileSync('ip', ['netns', 'add', name])
      namespaces.add(name)
      execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
      const wrap: Namespace['wrap'] = (command, args) => ({
        command: 'ip',
        args: ['netns', 'exec', name, command, ...args],
      })
      return { name, wrap, congestionControl: options.congestionControl }
    },
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
      lab.deleteNamespaces()
      labs.delete(lab)
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

function deleteStale(): void {
  for (const name of listNamespaces()) {
    const pid = Number(new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1])
    if (pid > 0 && !isRunning(pid)) spawnSync('ip', ['netns', 'del', name])
  }
}

function listNamespaces(): string[] {
  try {
    return readdirSync('/run/netns')
  } catch {
    return []
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

let isGuarded = false
function guardExit(): void {
  if (isGuarded) return
  isGuarded = true
  process.on('exit', () => labs.forEach((lab) => lab.deleteNamespaces()))
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => process.exit(code))
  }
}
