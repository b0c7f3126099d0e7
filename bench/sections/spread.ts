/** How soon a network hears of one more node, and how soon it grows together after a cut: nodes of one process, with the real gossip library and a registry that the bench writes. */
import { setTimeout as delay } from 'node:timers/promises'
import { createStakedNodes, type Owner } from '../../e2e/lib/staked-nodes.ts'
import { startSpreadingNodes } from '../../packages/node/test/directory/spreading-nodes.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { worldOf, type WorldSection } from './section.ts'

/** Nodes that know each other before one more comes, and nodes of the network that is cut. */
const COUNTS = { quick: { known: 19, cut: 8 }, full: { known: 99, cut: 40 } } as const
/** Started at once: what a home or a provider brings up together. */
const AT_ONCE = 5
/** By the nodes' clock; it is not waited for. */
const APART_MS = 1_800_000
const LOOK_EVERY_MS = 20
const PATIENCE_MS = 900_000

export const SPREAD_SYSTEM = 'byway-spread'
export const SPREAD_METRICS = {
  known: (count: number): string => `one more node known to ${count} others`,
  healed: (count: number): string => `${count} nodes with everything after a cut`,
} as const
export const FULL_COUNTS: (typeof COUNTS)['full'] = COUNTS.full

/** Creates the section. */
export function createSpread(): WorldSection {
  return {
    name: 'spread',
    title: `Nodes of one process that tell each other of their descriptors by gossip: from the start of one more until all have its descriptor (links, gossip and directory; stakes without a chain), and from the end of a cut in two halves, of half an hour by their clock, in which both published, until all have everybody's newest edition (gossip and directory, links in memory). All share one thread`,
    missing: () => undefined,
    open: (context) => worldOf(() => measure(context)),
  }
}

async function measure({ recorder, log, isQuick }: BenchContext): Promise<void> {
  const counts = COUNTS[isQuick ? 'quick' : 'full']
  const add = (metric: string, ms: number): void => {
    const value = ms / 1000
    recorder.add({ section: 'spread', metric, system: SPREAD_SYSTEM, unit: 's', value })
    log(`  ${metric}: ${value.toFixed(1)} s`)
  }
  add(SPREAD_METRICS.known(counts.known), await owned((owner) => untilKnown(owner, counts.known)))
  add(SPREAD_METRICS.healed(counts.cut), await owned((owner) => untilHealed(owner, counts.cut)))
}

async function owned(run: (owner: Owner) => Promise<number>): Promise<number> {
  await using ends = new AsyncDisposableStack()
  return await run({
    signal: AbortSignal.timeout(PATIENCE_MS),
    after: (end) => ends.defer(async () => void (await end())),
  })
}

/** Milliseconds. @throws when it takes a quarter of an hour */
async function until({ signal }: Owner, holds: () => boolean): Promise<number> {
  const fromMs = performance.now()
  while (!holds()) await delay(LOOK_EVERY_MS, undefined, { signal })
  return performance.now() - fromMs
}

async function untilKnown(owner: Owner, count: number): Promise<number> {
  const world = await createStakedNodes(owner)
  await world.start()
  for (let started = 1; started < count; started += AT_ONCE) {
    const some = Math.min(AT_ONCE, count - started)
    await Promise.all(Array.from({ length: some }, async () => await world.start()))
  }
  const allKnow = (all: number) => (): boolean =>
    world.nodes.every((node) => node.status().descriptors === all)
  await until(owner, allKnow(count))
  const fromMs = performance.now()
  await world.start()
  await until(owner, allKnow(count + 1))
  return performance.now() - fromMs
}

async function untilHealed(owner: Owner, count: number): Promise<number> {
  const world = await startSpreadingNodes(owner, count)
  const { nodes } = world
  const newest = new Map(nodes.map(({ key, set }) => [key, set.get(key)?.descriptor.sequence]))
  const haveNewest = (): boolean =>
    nodes.every(({ set }) =>
      nodes.every(({ key }) => set.get(key)?.descriptor.sequence === newest.get(key)),
    )
  const areNeighbours = (): boolean => nodes.every(({ spread }) => spread.status.listening > 0)
  await until(owner, haveNewest)
  await until(owner, areNeighbours)
  world.cut(({ number }) => number % 2)
  await until(owner, areNeighbours)
  for (const node of nodes) newest.set(node.key, node.publish())
  world.moveClock(APART_MS)
  if (haveNewest()) throw new Error('the cut has cut nothing')
  world.heal()
  const healedMs = await until(owner, haveNewest)
  if (nodes.some(({ set }) => set.evidence().length > 0))
    throw new Error('two editions under one number')
  return healedMs
}
