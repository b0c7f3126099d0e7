/**
 * Many nodes of one machine, each a process of its own with a stake on one chain, that rest: one more is known to all of them soon (issue 5 wants ten seconds of a hundred). A figure for a machine
 * with nothing else to do, of `PROCESSES` nodes (60 when not named), 110 MB each at rest and 220 MB while they start (a hundred do not fit into 23 GB, nor their rest into two cores; `e2e/gossip` has a hundred in one process):
 *
 *     node-1 (first contact) ══ every other node, by gossip ══ one more
 */
import assert from 'node:assert/strict'
import { loadavg } from 'node:os'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startPaidNodes, type PaidNodes } from './lib/paid-nodes.ts'

const NODES = Number(process.env['PROCESSES'] ?? 60)
const skip = process.env['SLOW'] === undefined && 'SLOW=1 runs it'
const LIMIT = { timeout: 1_500_000, skip }
/** After the start every node has the others' descriptors; what it does besides has ended by then. */
const REST_MS = 30_000
/** Asking a process takes it a millisecond. */
const LOOK_MS = 250
const PATIENCE_MS = 120_000

/** How long until every node knows so many, milliseconds. */
async function untilKnown(network: PaidNodes, count: number): Promise<number> {
  const sinceMs = performance.now()
  const { nodes } = network
  let left = [...nodes]
  while (left.length > 0) {
    assert.ok(
      performance.now() - sinceMs < PATIENCE_MS,
      `${left.length} of ${nodes.length} know nothing of it`,
    )
    const known = await Promise.all(left.map((node) => network.knownTo(node)))
    left = left.filter((_node, at) => known[at] !== count)
    if (left.length > 0) await delay(LOOK_MS)
  }
  return performance.now() - sinceMs
}

test(`one more node is known to ${NODES} processes`, LIMIT, async (t) => {
  const sinceMs = performance.now()
  await using network = await startPaidNodes(NODES, t.signal)
  const startedMs = performance.now() - sinceMs
  t.diagnostic(`${NODES} nodes know each other after ${(startedMs / 1000).toFixed()} s`)
  await delay(REST_MS, undefined, { signal: t.signal })
  const load = loadavg()[0] ?? 0
  await network.startLate()
  const knownMs = await untilKnown(network, NODES + 1)
  t.diagnostic(
    `one more is known to all after ${(knownMs / 1000).toFixed(1)} s, at a load of ${load.toFixed(1)} before`,
  )
})
