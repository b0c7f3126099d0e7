/**
 * Network namespaces of this process. Their names carry its id; they are deleted by `close` and when the process exits, and what a killed process
 * left behind, programs inside included, is removed by the next that makes any. Nothing here touches the machine's own interfaces, routes or firewall.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { onExit } from '../on-exit.ts'

/** One network namespace, with its loopback up. */
export type Namespace = {
  readonly name: string
  /** The command line that runs `command` inside; it becomes that program, with the same process id. */
  readonly wrap: (command: string, args: readonly string[]) => { command: string; args: string[] }
}

/** A set of namespaces that ends as one. */
export interface Namespaces {
  /** Makes a namespace; `label` is 1 to 12 lower-case letters, digits or dashes and unique in the set. */
  add(label: string): Namespace
  /** Deletes all of them. Safe to call twice. */
  close(): void
}

const PREFIX = 'byway'

/** Says what is missing to make namespaces here, or nothing. */
export function missingForNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (spawnSync('ip', ['-V']).error) return 'ip (iproute2) is not installed'
  const probe = `${PREFIX}-${process.pid}-probe`
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0)
    return 'this machine forbids network namespaces'
  spawnSync('ip', ['netns', 'del', probe])
  return undefined
}

/** Creates an empty set, after removing what ended processes left. */
export function createNamespaces(): Namespaces {
  removeStale()
  const names = new Set<string>()
  const deleteAll = (): void => {
    for (const name of names) spawnSync('ip', ['netns', 'del', name])
    names.clear()
  }
  const forget = onExit(deleteAll)
  return {
    add(label) {
      if (!/^[a-z0-9-]{1,12}$/.test(label))
        throw new RangeError('a label has 1 to 12 letters, digits or dashes')
      const name = `${PREFIX}-${process.pid}-${label}`
      execFileSync('ip', ['netns', 'add', name])
      names.add(name)
      execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
      const wrap: Namespace['wrap'] = (command, args) => ({
        command: 'ip',
        args: ['netns', 'exec', name, command, ...args],
      })
      return { name, wrap }
    },
    close() {
      forget()
      deleteAll()
    },
  }
}

/** Runs one `ip` command on a namespace. */
export function ip({ name }: Pick<Namespace, 'name'>, ...args: readonly string[]): void {
  execFileSync('ip', ['-n', name, ...args])
}

function removeStale(): void {
  for (const name of listNamespaces()) {
    const pid = Number(new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1])
    if (!(pid > 0) || isRunning(pid)) continue
    endAllInside(name)
    spawnSync('ip', ['netns', 'del', name])
  }
}

/** Routers' daemons outlive whoever started them. */
function endAllInside(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' })
  for (const pid of (stdout ?? '').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
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
