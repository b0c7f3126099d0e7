/** A stream that is faster than what a hop sells to a slot that it does not hold (SPEC §16.3): it goes slowly, and does not stand still. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOfToken } from '@byway/protocol/payment'
import { PAY, TOKEN_KIND, VERDICT } from '@byway/protocol/wire'
import type { HopAccount } from '../../src/money/hop-account.ts'
import { createShop } from '../../src/money/shop.ts'
import type { Shop } from '../../src/money/shop.ts'
import { tariffOf } from '../../src/money/tariff.ts'
import { visitHop } from '../../src/money/visit.ts'
import { createMoneyWorld } from './money-world.ts'
import type { MoneyWorld } from './money-world.ts'
import { LASTING_POOL as POOL, startTestHop, UNIT_PRICE } from './test-hop.ts'
import type { TestHop } from './test-hop.ts'

/** What DESIGN §7.1 has a slot served that nobody holds, and what it may buy at once. */
const PER_SECOND = 3
const AT_ONCE = 64
const STEP_MS = 50
/** Tokens that the stream would use: 84 MB/s. */
const WANTED_PER_SECOND = 1000 / STEP_MS

function openShop(world: MoneyWorld, hop: TestHop, issueDelayMs: number): Shop {
  const accounts = new Map<string, HopAccount>()
  const { nowMs } = world.timers
  return createShop({
    stock: world.stock,
    visit: (node, orders, onStocked, signal) =>
      visitHop(
        {
          ...world.sessionDeps,
          pool: POOL,
          open: async () => hop.carrier(),
          stock: world.stock,
          tariffOf: () => tariffOf(POOL, node),
          accounts,
          onLeaving: () => {},
          onStocked,
          issueDelayMs,
          onFault: () => assert.fail('a fault'),
          nowMs,
        },
        node,
        orders,
        signal,
      ),
    isLeft: () => false,
    hopsInUse: () => [hop.node],
    spending: world.spending,
    nowMs,
    onFailed: (_hop, error) => assert.fail(String(error)),
    timers: world.timers,
  })
}

type Stream = {
  /** When each token went, by the test's clock. */
  readonly spentAtMs: number[]
  /** Uses tokens as fast as the stream would, and has it wait where there are none. */
  go(ms: number): Promise<void>
}

function startStream(world: MoneyWorld, hop: TestHop, shop: Shop): Stream {
  const { nowMs, pass } = world.timers
  const spentAtMs: number[] = []
  let isWanted = false
  let isWaiting = false

  function spend(): void {
    if (isWaiting || !isWanted) return
    if (shop.spend(hop.node, bytesOfToken(TOKEN_KIND.BANDWIDTH))) {
      spentAtMs.push(nowMs())
      isWanted = false
      return
    }
    isWaiting = true
    void spendLater()
  }

  async function spendLater(): Promise<void> {
    await shop.restocked(hop.node)
    isWaiting = false
    spend()
  }

  return {
    spentAtMs,
    async go(ms) {
      for (const endMs = nowMs() + ms; nowMs() < endMs;) {
        // The hop signs in real time: the clock stands still until it has answered.
        while (hop.unanswered > 0) await pass(0)
        isWanted = true
        spend()
        await pass(STEP_MS)
      }
    },
  }
}

/** The longest time between two. */
function longestGap(atMs: readonly number[]): number {
  return atMs.reduce((most, ms, at) => Math.max(most, ms - (atMs[at - 1] ?? ms)), 0)
}

describe('a fast stream at a slot that the hop does not hold', () => {
  // The start value, and that of a local network.
  for (const issueDelayMs of [15_000, 1000]) {
    it(`goes on at the pace of such a slot, with a delay of ${issueDelayMs / 1000} s`, async () => {
      const world = await createMoneyWorld()
      await using hop = await startTestHop(1, {
        nowMs: world.timers.nowMs,
        issueDelayMs,
        pool: POOL,
      })
      hop.standing = 'open'
      const shop = openShop(world, hop, issueDelayMs)
      shop.start()
      const stream = startStream(world, hop, shop)
      // What a new hop sells first is little, and what is paid then waits for the delay.
      await stream.go(2 * issueDelayMs + 20_000)
      const before = stream.spentAtMs.length
      const said = hop.said.length
      await stream.go(45_000)
      const during = stream.spentAtMs.slice(before - 1)
      assert.ok(longestGap(during) <= 2500, `stood still for ${longestGap(during)} ms`)
      assert.ok(during.length >= 0.95 * 45 * PER_SECOND, `${during.length} tokens in 45 s`)

      const paidUnits = hop.tickets.reduce((sum, { amount }) => sum + amount, 0n) / UNIT_PRICE
      const aheadTokens = Number(paidUnits) / 4 - stream.spentAtMs.length
      assert.ok(aheadTokens <= AT_ONCE, `${aheadTokens} tokens are paid and not used`)
      const asked = hop.said.slice(said).filter(({ kind }) => kind === PAY.BUY).length
      // One a second, and one in two that is too early; how the draws of waits fall to whole steps hangs on how fast the hop signs.
      assert.ok(asked <= 45 * 1.6, `asked ${asked} times`)
      await shop.stop()
    })
  }

  it('goes as fast as it can once the hop holds the slot', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, {
      nowMs: world.timers.nowMs,
      issueDelayMs: 15_000,
      pool: POOL,
    })
    hop.standing = 'open'
    const shop = openShop(world, hop, 15_000)
    shop.start()
    const stream = startStream(world, hop, shop)
    await stream.go(40_000)
    hop.standing = 'mine'
    await stream.go(8000)
    const before = stream.spentAtMs.length
    hop.said.length = 0
    await stream.go(10_000)
    assert.ok(stream.spentAtMs.length - before >= 9 * WANTED_PER_SECOND)
    const batches = hop.said.flatMap((message) =>
      message.kind === PAY.SOLD && message.verdict === VERDICT.OK ? message.signatures.length : [],
    )
    assert.ok(
      batches.every((count) => count === 32),
      `bought ${batches.join(' ')}`,
    )
    await shop.stop()
  })
})
