/** What tests of a chain that is asked through nodes look at. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessNetwork } from '../../packages/testnet/src/index.ts'

/** Only stops a hang. */
const WAIT_MS = 300_000
const LOOK_MS = 200

/** What nodes were asked by clients about the chain so far. */
export async function chainQuestions(network: ProcessNetwork): Promise<number> {
  const all = await Promise.all(network.nodes.map((node) => network.statusOf(node)))
  const counts = all.map((status) => {
    const { chainQuestions: asked = 0 } = (status?.['money'] ?? {}) as { chainQuestions?: number }
    return asked
  })
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Resolves once it holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs, 'waited for too long')
    await delay(LOOK_MS)
  }
}
