import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import type { TrafficClass } from '@byway/protocol/wire'
import { createHopBook } from '../../src/money/hop-book.ts'

const PRICED = { priceStep: 4, classPrices: { browse: 4, collect: 7 } }

/** All hops are paid alike; `stocked` names those of which there are tokens, `shown` those with a slot. */
function book({ stocked = '', shown = '', inUse = 0, unshown = 9, maxPriceStep = 8 } = {}) {
  const clock = { nowMs: 0 }
  const hops = createHopBook({
    slots: {
      has: (key) => shown.includes(key),
      left: { unshown, inUse },
    },
    nodeOf: (key) => ({ key, entry: { descriptor: PRICED } }) as unknown as PathNode,
    isStocked: (key) => stocked.includes(key),
    tariffOf: () => ({ priceStep: 4 }) as never,
    maxPriceStep,
    nowMs: () => clock.nowMs,
  })
  return {
    hops,
    clock,
    weigh: (key: string, isAhead = false, trafficClass?: TrafficClass) =>
      hops.preferenceOf(key as NodeKey, { isAhead, trafficClass }) ?? assert.fail(),
  }
}

describe('the weight of a hop to a client that pays', () => {
  it('is what it was for one of which there are tokens, and next to nothing for another while somebody waits', () => {
    const { weigh } = book({ stocked: 'a', shown: 'ab' })
    assert.equal(weigh('a'), 1)
    assert.ok(weigh('b') > 0)
    // A thousand strangers together must not outweigh it.
    assert.ok(weigh('b') * 1000 < 0.01)
    assert.ok(weigh('c') * 1000 < 0.01)
  })

  it('does not depend on tokens where nobody waits', () => {
    const { weigh } = book({ stocked: 'a', shown: 'ab' })
    assert.deepEqual([weigh('a', true), weigh('b', true), weigh('c', true)], [1, 1, 1])
  })

  it('is nothing for a hop that needs a slot when none is left', () => {
    const { weigh } = book({ shown: 'a', unshown: 0 })
    assert.ok(weigh('a') > 0)
    assert.equal(weigh('b'), 0)
  })

  it('is nothing for one that is dearer than the user pays, whatever is stocked there', () => {
    const { weigh } = book({ stocked: 'a', shown: 'a', maxPriceStep: 3 })
    assert.deepEqual([weigh('a'), weigh('a', true)], [0, 0])
    assert.equal(book({ stocked: 'a', shown: 'a', maxPriceStep: 4 }).weigh('a'), 1)
  })

  it('is judged by the price of the class at an exit, and of nothing else in the middle', () => {
    const { weigh } = book({ stocked: 'a', shown: 'a', maxPriceStep: 6 })
    assert.equal(weigh('a', false, 'browse'), 1)
    assert.equal(weigh('a', false, 'collect'), 0)
    assert.equal(weigh('a', false), 1)
    const generous = book({ stocked: 'a', shown: 'a', maxPriceStep: 7 })
    assert.equal(generous.weigh('a', false, 'collect'), 1)
  })

  it('has a reason, which is told', () => {
    const reasonOf = (setting: Parameters<typeof book>[0]) =>
      book(setting).hops.standingOf('a' as NodeKey, 'browse')
    assert.equal(reasonOf({ shown: 'a', inUse: 9, unshown: 0 }), 'usual')
    assert.equal(reasonOf({ inUse: 5 }), 'usual')
    assert.equal(reasonOf({ inUse: 6 }), 'beyond')
    assert.equal(reasonOf({ inUse: 6, unshown: 0 }), 'no-slot')
    assert.equal(reasonOf({ shown: 'a', maxPriceStep: 3 }), 'too-dear')
    const { hops } = book({ shown: 'a' })
    hops.avoid('a' as NodeKey)
    assert.equal(hops.standingOf('a' as NodeKey, 'browse'), 'left')
  })

  it('is nothing for a minute for one that sells nothing, and for hours for one that cheated', () => {
    const { hops, weigh, clock } = book({ stocked: 'ab', shown: 'ab' })
    hops.avoid('a' as NodeKey)
    hops.shun('b' as NodeKey)
    assert.deepEqual([weigh('a'), weigh('b')], [0, 0])
    clock.nowMs = 60_000
    assert.deepEqual([weigh('a'), weigh('b')], [1, 0])
    clock.nowMs = 6 * 3_600_000
    assert.equal(weigh('b'), 1)
  })

  it('is nothing for longer and longer when a hop goes on refusing, and begins anew after hours', () => {
    const { hops, clock } = book({ stocked: 'a', shown: 'a' })
    const key = 'a' as NodeKey
    const lengths: number[] = []
    for (let i = 0; i < 7; i++) {
      hops.avoid(key)
      // A second purchase that fails with it does not count again.
      hops.avoid(key)
      const startMs = clock.nowMs
      while (hops.isLeft(key)) clock.nowMs += 60_000
      lengths.push((clock.nowMs - startMs) / 60_000)
    }
    assert.deepEqual(lengths, [1, 4, 16, 64, 256, 360, 1])
  })
})
