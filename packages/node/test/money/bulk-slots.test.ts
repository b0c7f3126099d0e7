/** Which slots are locked before they win (DESIGN §7.1). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Opening } from '@byway/protocol/wire'
import { createBulkSlots, unitsOfBulk } from '../../src/money/bulk-slots.ts'

const LEAST_UNITS = 256

function opening(name: number): Opening {
  return { nullifier: new Uint8Array(32).fill(name) } as Opening
}

function worldOf() {
  const clock = { ms: 0 }
  const told: number[] = []
  const bulk = createBulkSlots({
    leastUnits: LEAST_UNITS,
    nowMs: () => clock.ms,
    onBulk: ({ nullifier }) => void told.push(nullifier[0] ?? 0),
  })
  /** As fast as a slot that nobody holds is served, for some seconds. */
  const payFor = (name: number, seconds: number, use: 'link' | 'tokens'): void => {
    for (let s = 0; s < seconds; s++) {
      bulk.paid(opening(name), 12, use)
      clock.ms += 1000
    }
  }
  return { clock, told, bulk, payFor }
}

suite('bulk slots', () => {
  test('a quarter of a win makes one, and 512 units at the most', () => {
    assert.equal(unitsOfBulk(100_000_000n, 100_000_000n / 1024n), 256)
    assert.equal(unitsOfBulk(4096n, 16n), 64)
    assert.equal(unitsOfBulk(4096n, 1n), 512)
    assert.equal(unitsOfBulk(4096n, 0n), 512)
  })

  test('one that pays so much on its link as it is used is told once', () => {
    const { bulk, told, payFor } = worldOf()
    payFor(1, 21, 'link')
    assert.deepEqual(told, [], 'after 252 units')
    payFor(1, 1, 'link')
    bulk.paid(opening(1), 1000, 'link')
    assert.deepEqual(told, [1])
  })

  test('one that buys tokens is told once it has paid 512 units, for a stock is no use', () => {
    const { bulk, told } = worldOf()
    bulk.paid(opening(1), 511, 'tokens')
    assert.deepEqual(told, [])
    bulk.paid(opening(1), 1, 'tokens')
    assert.deepEqual(told, [1])
  })

  test('a buyer that goes on waiting is told sooner, and one that waits for its first tokens is not', () => {
    const { bulk, told, clock } = worldOf()
    bulk.paid(opening(1), 256, 'tokens')
    bulk.wanted(opening(1))
    clock.ms += 3000
    bulk.wanted(opening(1))
    assert.deepEqual(told, [], 'three seconds are its first visit')
    clock.ms += 1000
    bulk.wanted(opening(1))
    assert.deepEqual(told, [1])
  })

  test('who waits and has paid little is told when it has paid', () => {
    const { bulk, told, clock } = worldOf()
    bulk.paid(opening(1), 12, 'tokens')
    bulk.wanted(opening(1))
    clock.ms += 5000
    bulk.wanted(opening(1))
    assert.deepEqual(told, [])
    bulk.paid(opening(1), 244, 'tokens')
    assert.deepEqual(told, [1])
  })

  test('waiting now and then is none', () => {
    const { bulk, told, clock } = worldOf()
    for (let n = 0; n < 10; n++) {
      bulk.paid(opening(1), 256, 'tokens')
      bulk.wanted(opening(1))
      clock.ms += 65_000
    }
    bulk.wanted(opening(2))
    assert.deepEqual(told, [])
  })

  test('slow and little use is not', () => {
    const { bulk, told, clock } = worldOf()
    for (let minute = 0; minute < 30; minute++) {
      for (let second = 0; second < 60; second++) {
        bulk.paid(opening(1), 6, 'link')
        clock.ms += 1000
      }
      bulk.paid(opening(2), 400, 'tokens')
      bulk.paid(opening(minute + 3), 255, 'link')
      clock.ms += 10_000
    }
    assert.deepEqual(told, [])
  })

  test('the next slot of a bulk session goes on as one with its first ticket, and that of another does not', () => {
    const { bulk, told } = worldOf()
    bulk.paid(opening(1), 600, 'link')
    bulk.follow(opening(1), opening(2))
    assert.deepEqual(told, [1], 'not before it pays')
    bulk.paid(opening(2), 1, 'link')
    bulk.follow(opening(3), opening(4))
    bulk.paid(opening(4), 1, 'link')
    assert.deepEqual(told, [1, 2])
  })

  test('the slot that will follow a bulk one is told before it pays, once, and that of another is not', () => {
    const { bulk, told } = worldOf()
    bulk.soon(opening(1), opening(2))
    assert.deepEqual(told, [], 'nothing is paid in bulk yet')
    bulk.paid(opening(1), 600, 'link')
    bulk.soon(opening(1), opening(2))
    bulk.soon(opening(1), opening(2))
    bulk.follow(opening(1), opening(2))
    bulk.paid(opening(2), 1, 'link')
    assert.deepEqual(told, [1, 2])
  })

  test('counts a bounded number of slots, and forgets the first', () => {
    const { bulk, told } = worldOf()
    bulk.paid(opening(1), 500, 'tokens')
    const many = (n: number): Opening =>
      ({ nullifier: Uint8Array.of(n >> 8, n & 255, 9, 9) }) as Opening
    for (let n = 0; n < 4096; n++) bulk.paid(many(n), 1, 'tokens')
    bulk.paid(opening(1), 500, 'tokens')
    assert.deepEqual(told, [])
  })
})
