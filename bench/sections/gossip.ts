/** What libp2p adds to a node: memory, and CPU at rest and while editions come, with as many neighbours as a node has. A world of its own. */
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { GossipHostLine, GossipSettings } from '../byway/gossip-process.ts'
import { ask, parseLine } from '../byway/line-protocol.ts'
import { startChild, waitForLine, type Child } from '../lib/child.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { readCpuMs, readMemory } from '../lib/process-stats.ts'
import { worldOf, type WorldSection } from './section.ts'

/** Eight that a node dials, and eight that dial it. */
const DIALLED = 8
const DIALLING = 8
const START_TIMEOUT_MS = 60_000
const WATCHED_MS = { quick: 10_000, full: 60_000 } as const
/** Editions of 10 000 nodes at two a day come every four seconds. */
const EDITION_EVERY_MS = 4000
/** For heartbeats to settle, and buffers of the set-up to be given back. */
const SETTLE_MS = 5000
const LOOK_EVERY_MS = 100

export const GOSSIP_SYSTEM = 'byway-gossip'
export const GOSSIP_METRICS = {
  memory: 'memory that libp2p adds, 16 neighbours',
  idle: 'CPU at rest',
  busy: 'CPU with an edition each four seconds',
} as const

/** Creates the section. */
export function createGossip(): WorldSection {
  return {
    name: 'gossip',
    title: `Gossip of one node with ${DIALLED} neighbours that it dialled and ${DIALLING} that dialled it, in a process of its own that has loaded nothing else: growth of its resident memory since before the library was loaded, and its CPU as a share of one core`,
    missing: () => undefined,
    open: (context) => worldOf(() => measure(context)),
  }
}

async function measure({ recorder, log, isQuick }: BenchContext): Promise<void> {
  const add = (metric: string, unit: string, value: number): void => {
    recorder.add({ section: 'gossip', metric, system: GOSSIP_SYSTEM, unit, value })
    log(`  ${metric}: ${value.toFixed(2)} ${unit}`)
  }
  const watchedMs = WATCHED_MS[isQuick ? 'quick' : 'full']
  const node = await startHosts({ hosts: 1, firstHost: 1 })
  const neighbours = await startHosts({ hosts: DIALLED + DIALLING, firstHost: 2 })
  try {
    const before = await restingMemory(node)
    const [own] = await hostsOf(node)
    const around = await hostsOf(neighbours)
    if (!own) throw new Error('the node has not begun to gossip')
    await ask(node, { do: 'know', hosts: around.slice(0, DIALLED) }, START_TIMEOUT_MS)
    await untilListening(node, DIALLED)
    // All that are not neighbours yet dial it: they know nobody else.
    await ask(neighbours, { do: 'know', hosts: [own] }, START_TIMEOUT_MS)
    await untilListening(node, DIALLED + DIALLING)
    await delay(SETTLE_MS)
    add(GOSSIP_METRICS.idle, '%', await cpuShare(node, watchedMs, undefined))
    const say = (from: number): Promise<unknown> =>
      ask(neighbours, { do: 'say', from }, START_TIMEOUT_MS)
    add(GOSSIP_METRICS.busy, '%', await cpuShare(node, watchedMs, say))
    const { heard } = await ask(node, { do: 'status' }, START_TIMEOUT_MS)
    if (heard !== Math.floor(watchedMs / EDITION_EVERY_MS))
      throw new Error(`heard ${String(heard)} editions`)
    add(GOSSIP_METRICS.memory, 'MB', ((await restingMemory(node)) - before) / 1e6)
  } finally {
    await Promise.all([node.stop(), neighbours.stop()])
  }
}

async function startHosts(settings: GossipSettings): Promise<Child> {
  const script = fileURLToPath(new URL('../byway/gossip-process.ts', import.meta.url))
  const args = [...process.execArgv, '--expose-gc', script, JSON.stringify(settings)]
  const child = await startChild('gossip', process.execPath, args)
  await waitForLine(child, START_TIMEOUT_MS, (text) =>
    parseLine(text)?.['event'] === 'ready' ? true : undefined,
  )
  return child
}

async function hostsOf(child: Child): Promise<readonly GossipHostLine[]> {
  const { hosts } = await ask(child, { do: 'start' }, START_TIMEOUT_MS)
  return hosts as readonly GossipHostLine[]
}

async function untilListening(child: Child, count: number): Promise<void> {
  const endMs = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const { listening } = await ask(child, { do: 'status' }, START_TIMEOUT_MS)
    const [least = 0] = listening as readonly number[]
    if (least >= count) return
    if (performance.now() > endMs) throw new Error(`${least} of ${count} neighbours came`)
    await delay(LOOK_EVERY_MS)
  }
}

async function restingMemory(child: Child): Promise<number> {
  await delay(SETTLE_MS)
  await ask(child, { do: 'collect' }, START_TIMEOUT_MS)
  return readMemory(child.pid).residentBytes
}

/** Percent of one core. @param say - called with numbers from 0 on, one for each edition */
async function cpuShare(
  child: Child,
  watchedMs: number,
  say: ((from: number) => Promise<unknown>) | undefined,
): Promise<number> {
  const [fromMs, fromCpuMs] = [performance.now(), readCpuMs(child.pid)]
  for (let edition = 0; edition < Math.floor(watchedMs / EDITION_EVERY_MS); edition++) {
    await delay(EDITION_EVERY_MS)
    await say?.(edition)
  }
  await delay(Math.max(0, watchedMs - (performance.now() - fromMs)))
  const tookMs = performance.now() - fromMs
  return ((readCpuMs(child.pid) - fromCpuMs) / tookMs) * 100
}
