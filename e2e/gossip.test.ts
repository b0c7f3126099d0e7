/**
 * Descriptors spread by gossip, with one first contact and a registry (SPEC §10.4):
 *
 *     first contact ◄── link ── each new node          all with a stake ◄── gossip ──► all with a stake
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { RunningNode } from '@byway/node'
import { createStakedNodes } from './lib/staked-nodes.ts'

/** Twenty need some minutes of a busy machine, a hundred a quarter of an hour. */
const COUNT = Number(process.env['GOSSIP_NODES'] ?? 20)
const isSlow = process.env['SLOW'] === '1'
const LIMIT = { timeout: 120_000 }
const SLOW_LIMIT = { timeout: 900_000, skip: isSlow ? false : 'many nodes; with SLOW=1' }

/** Looks until it holds; the test's own time limit ends it. */
async function until(t: TestContext, holds: () => boolean): Promise<void> {
  while (!holds()) {
    t.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const allKnow = (nodes: readonly RunningNode[], count: number) => (): boolean =>
  nodes.every((node) => node.status().descriptors === count)

test(
  `${COUNT} nodes know each other; a new one is known to all, and one whose stake goes is forgotten`,
  SLOW_LIMIT,
  async (t) => {
    const world = await createStakedNodes(t)
    await world.start()
    for (let started = 1; started < COUNT; started += 5) {
      await Promise.all(
        Array.from({ length: Math.min(5, COUNT - started) }, async () => await world.start()),
      )
    }
    const { nodes, registry } = world
    await until(t, allKnow(nodes, COUNT))
    const startedMs = performance.now()
    const fresh = await world.start()
    await until(t, allKnow(nodes, COUNT + 1))
    const tookMs = Math.round(performance.now() - startedMs)
    t.diagnostic(`a new node was known to ${COUNT} others after ${tookMs} ms`)
    registry.unstake(fresh.nodeId)
    await until(t, allKnow(nodes.slice(0, -1), COUNT))
    for (const node of nodes) assert.ok((node.status().gossip?.neighbours ?? 0) > 0)
  },
)

test(
  'a node without a stake is known to nobody, though it asks all for what they know',
  LIMIT,
  async (t) => {
    const world = await createStakedNodes(t)
    const staked = [await world.start(), await world.start(), await world.start()]
    await until(t, allKnow(staked, 3))
    const stranger = await world.start({ isStaked: false })
    await until(t, allKnow([stranger], 4))
    const late = await world.start()
    await until(t, allKnow([...staked, late], 4))
    for (const node of [...staked, late])
      assert.ok(!node.knownNodes().some((id) => Buffer.compare(id, stranger.nodeId) === 0))
    world.registry.stake(stranger.nodeId)
    await until(t, allKnow(world.nodes, 5))
  },
)
