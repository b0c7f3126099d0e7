/**
 * A private Tor network on loopback: one authority, three relays, one client whose circuits are pinned to
 * relay 1 → relay 2 → relay 3, so that CPU can be charged to entry, middle and exit. The pin is checked against the
 * client's own circuit list after every transfer; a circuit elsewhere fails the measurement.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { startChild, type Child } from '../lib/child.ts'
import { findFreePorts } from '../lib/ports.ts'
import { findVersion, missing } from '../lib/programs.ts'
import { makeScratch, removeScratch } from '../lib/scratch.ts'
import type { Candidate, IdleLoad, RoleProcess } from '../lib/system.ts'
import { pollUntil } from '../lib/wait.ts'
import { makeAuthority } from './tor-authority.ts'
import { assertPinned, createCircuitBuilder, type CircuitBuilder } from './tor-circuits.ts'
import { clientConfig, commonConfig, relayConfig, type TorFlavour } from './tor-config.ts'
import { findOrPort, openTorControl, type TorControl } from './tor-control.ts'
import { openTorLinks } from './tor-links.ts'

/** The whole network is up within half a minute; a busy machine may take several times that. */
const BOOTSTRAP_TIMEOUT_MS = 180_000
/** A node writes its fingerprint, its listeners and its cookie within a second of its start. */
const NODE_START_TIMEOUT_MS = 30_000
/** The DESTROY of the circuit before must be acknowledged, or Nagle's algorithm holds the next CREATE for 40 ms. */
const LINK_REST_MS = 60
/** Idle circuits are built this many at a time. */
const BUILD_BATCH = 32
/** Nodes by name; the relays in the order of the pinned path. */
const RELAYS = ['relay1', 'relay2', 'relay3'] as const

type Network = {
  readonly control: TorControl
  readonly builder: CircuitBuilder
  readonly socksPort: number
  /** Fingerprints of entry, middle and exit. */
  readonly hops: readonly string[]
  readonly pidOf: (name: string) => number
}

/** Creates a Tor network of one flavour, or says what is missing. `onProgress` gets a line per bootstrap step. */
export function createTorNet(flavour: TorFlavour, onProgress: (text: string) => void): Candidate {
  const { name } = flavour
  const version = findVersion('tor', ['--version'])
  if (version === undefined) return { name, reason: missing('tor') }
  if (spawnSync('tor-gencert', ['--help']).error) return { name, reason: missing('tor-gencert') }

  const children = new Map<string, Child>()
  let root: string | undefined
  let started: Network | undefined
  const network = (): Network => {
    if (!started) throw new Error(`${name} is not running`)
    return started
  }
  const build = (): Promise<string> => network().builder.build(network().hops)
  return {
    name,
    description: `Tor ${version}, 3 hops, Schedulers ${flavour.scheduler}, ${flavour.congestionControl} flow control`,
    start: async () => {
      root = makeScratch(name)
      started = await startNetwork(root, flavour, children, (text) =>
        onProgress(`${name}: ${text}`),
      )
    },
    route: () => ({ kind: 'socks5', port: network().socksPort }),
    processes: async () => {
      await assertPinned(network().control, network().hops)
      return listProcesses(network().pidOf)
    },
    buildCircuit: async () => {
      await delay(LINK_REST_MS)
      const startMs = performance.now()
      const id = await build()
      const tookMs = performance.now() - startMs
      await network().builder.close(id)
      return tookMs
    },
    openIdleLinks: async (count) =>
      openTorLinks(await findOrPort(network().control, network().hops[0] ?? ''), count),
    openIdleCircuits: (count) => openIdleCircuits(network().builder, build, count),
    stop: async () => {
      started?.control.close()
      started = undefined
      await Promise.all(Array.from(children.values(), (child) => child.stop()))
      children.clear()
      if (root !== undefined) removeScratch(root)
    },
  }
}

async function startNetwork(
  root: string,
  flavour: TorFlavour,
  children: Map<string, Child>,
  onProgress: (text: string) => void,
): Promise<Network> {
  const startNode = async (name: string, config: string): Promise<void> => {
    const directory = join(root, name)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const torrc = join(directory, 'torrc')
    writeFileSync(torrc, commonConfig(directory, flavour) + config)
    children.set(
      name,
      await startChild(`tor ${name}`, 'tor', ['--defaults-torrc', '/dev/null', '-f', torrc]),
    )
  }

  const [orPort = 0, dirPort = 0] = await findFreePorts(2)
  const authority = makeAuthority(join(root, 'authority'), flavour, { orPort, dirPort })
  await startNode('authority', authority.config + authority.line)
  for (const name of RELAYS) await startNode(name, relayConfig(name) + authority.line)
  const hops: string[] = []
  for (const name of RELAYS)
    hops.push(await readWhenWritten(join(root, name, 'fingerprint'), /\b([0-9A-F]{40})\b/))

  const socketPath = join(root, 'client', 'control')
  await startNode('client', clientConfig(hops, socketPath) + authority.line)
  await pollUntil(
    "tor's control socket",
    NODE_START_TIMEOUT_MS,
    () => existsSync(socketPath) || undefined,
  )
  const cookie = readFileSync(join(root, 'client', 'control_auth_cookie')).toString('hex')
  const control = await openTorControl(socketPath, cookie)
  await waitForBootstrap(control, children, onProgress)
  const listeners = await control.command('GETINFO net/listeners/socks')
  return {
    control,
    builder: await createCircuitBuilder(control),
    socksPort: Number(/127\.0\.0\.1:(\d+)/.exec(listeners.join(' '))?.[1]),
    hops,
    pidOf: (name) => children.get(name)?.pid ?? 0,
  }
}

function listProcesses(pidOf: (name: string) => number): RoleProcess[] {
  return [
    { role: 'client', pid: pidOf('client') },
    { role: 'entry', pid: pidOf('relay1') },
    { role: 'middle', pid: pidOf('relay2') },
    { role: 'exit', pid: pidOf('relay3') },
    { role: 'idle', pid: pidOf('authority') },
  ]
}

async function openIdleCircuits(
  builder: CircuitBuilder,
  build: () => Promise<string>,
  count: number,
): Promise<IdleLoad> {
  const ids: string[] = []
  while (ids.length < count) {
    ids.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(BUILD_BATCH, count - ids.length) }, build),
      )),
    )
  }
  return {
    close: async () => {
      for (const id of ids) await builder.close(id)
    },
  }
}

async function waitForBootstrap(
  control: TorControl,
  children: ReadonlyMap<string, Child>,
  onProgress: (text: string) => void,
): Promise<void> {
  let last = ''
  await pollUntil('the end of tor bootstrap', BOOTSTRAP_TIMEOUT_MS, async () => {
    const dead = Array.from(children.values()).find((child) => child.hasEnded())
    if (dead) throw new Error(`${dead.name} ended early: ${dead.stderrTail()}`)
    const phase = (await control.command('GETINFO status/bootstrap-phase')).join(' ')
    const progress = /PROGRESS=(\d+)/.exec(phase)?.[1] ?? '0'
    if (progress !== last) onProgress(`bootstrapped ${progress} %`)
    last = progress
    return progress === '100' ? true : undefined
  })
}

function readWhenWritten(file: string, pattern: RegExp): Promise<string> {
  return pollUntil(`a file of tor (${pattern.source})`, NODE_START_TIMEOUT_MS, () =>
    existsSync(file) ? pattern.exec(readFileSync(file, 'latin1'))?.[1] : undefined,
  )
}
