/**
 * A new client whose first contact and first guard hides half of the network: its second guard, over a link of its own, shows the rest.
 *
 *     client ══ probe (first contact and first guard; shows three of six)
 *            ══ second guard (shows all six)
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_LOG } from '@byway/protocol/base'
import type { Logger } from '@byway/protocol/base'
import type { NodeKey } from '@byway/protocol/directory'
import { makeNet } from './hostile/lib/net.ts'
import { until } from './hostile/lib/until.ts'

const NODES = 6

test(
  'a first guard that hides half of the network is found out by the second',
  { timeout: 60_000 },
  async (t) => {
    const net = await makeNet(t, [])
    const hidden = new Set<NodeKey>()
    const first = await net.probe({ hides: (key) => hidden.has(key) })
    const nodes = []
    while (nodes.length < NODES - 1) nodes.push(await net.honest())
    await net.settled()
    for (const { key } of nodes.slice(2)) hidden.add(key as NodeKey)
    const warnings: string[] = []
    const log: Logger = { ...NO_LOG, warn: (message) => void warnings.push(message) }
    const client = await net.client([first, ...nodes.slice(0, 2)], { log })
    await until('the client knows all', () => client.status().nodes === NODES)
    // Editions of this minute may still be under way from one guard to another: nobody is accused of hiding those.
    assert.deepEqual(warnings, [])
  },
)
