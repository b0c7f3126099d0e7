/** Buying bulk tokens of a hop. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TokenOrder } from '@byway/protocol/payment'
import { PAY, TOKEN_KIND } from '@byway/protocol/wire'
import { createMoneyWorld } from './money-world.ts'
import { nodeIdOf, order, shop } from './shopping.ts'
import { startTestHop } from './test-hop.ts'

describe('a visit to a hop', () => {
  it('buys bulk tokens that are wanted at a hop that holds the slot, and asks in vain once where it does not', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs, issueDelayMs: 15_000 })
    const counter = shop(world, hop, 15_000)
    const nodeId = nodeIdOf(hop)
    await counter.go()
    // It sold before its delay was over: it holds the slot.
    assert.equal(world.stock.isLocked(nodeId), true)
    const orderOf = (count: number): TokenOrder => {
      return { node: nodeId, kind: TOKEN_KIND.BULK, count, units: 32 * count }
    }
    world.stock.spend(nodeId, TOKEN_KIND.BULK, world.timers.nowMs())
    await counter.go([orderOf(4)])
    const bulk = world.stock.held(nodeId, TOKEN_KIND.BULK)
    assert.ok(bulk >= 4)
    const message = world.stock.spend(nodeId, TOKEN_KIND.BULK, world.timers.nowMs())
    assert.ok(message)
    assert.equal(await hop.takes(message), true)
    // The lock has lapsed, and nobody waits for bulk tokens.
    hop.standing = 'open'
    hop.said.length = 0
    const startMs = world.timers.nowMs()
    await counter.go([order(hop, TOKEN_KIND.BANDWIDTH, 4), orderOf(12)])
    assert.equal(world.stock.held(nodeId, TOKEN_KIND.BULK), bulk - 1)
    const asked = hop.said.filter(
      (one) => one.kind === PAY.BUY && one.tokenKind === TOKEN_KIND.BULK,
    )
    assert.ok(asked.length <= 1)
    assert.ok(world.timers.nowMs() - startMs < 40_000)
    await counter.go([orderOf(4)])
    assert.deepEqual(counter.faults, [])
  })
})
