/** Which slots are locked before they win (DESIGN §7.1). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Opening } from '@byway/protocol/wire'
import { createBulkSlots } from '../../src/money/bulk-slots.ts'

function opening(name: number): Opening {
  return { nullifier: new Uint8Array(32).fill(name) } as Opening
}

function worldOf() {
  const clock = { ms: 0 }
  const told: number[] = []
  const bulk = createBulkSlots({
    nowMs: () => clock.ms,
    onBulk: ({ nullifier }) => void told.push(nullifier[0] ?? 0),
  })
  return { clock, told, bulk }
}

suite('bulk slots', () => {
  test('one that pays 512 units within a minute is told once', () => {
    const { bulk, told } = worldOf()
    for (let n = 0; n < 511; n++) bulk.paid(opening(1), 1)
    assert.deepEqual(told, [])
    bulk.paid(opening(1), 16)
    bulk.paid(opening(1), 1000)
    assert.deepEqual(told, [1])
  })

  test('slow and little use is not', () => {
    const { bulk, told, clock } = worldOf()
    for (let minute = 0; minute < 30; minute++) {
      bulk.paid(opening(1), 400)
      bulk.paid(opening(minute + 2), 256)
      clock.ms += 60_000
    }
    assert.deepEqual(told, [])
  })

  test('the next slot of a bulk session goes on as one with its first ticket, and that of another does not', () => {
    const { bulk, told } = worldOf()
    bulk.paid(opening(1), 600)
    bulk.follow(opening(1), opening(2))
    assert.deepEqual(told, [1], 'not before it pays')
    bulk.paid(opening(2), 1)
    bulk.follow(opening(3), opening(4))
    bulk.paid(opening(4), 1)
    assert.deepEqual(told, [1, 2])
  })

  test('the slot that will follow a bulk one is told before it pays, once, and that of another is not', () => {
    const { bulk, told } = worldOf()
    bulk.soon(opening(1), opening(2))
    assert.deepEqual(told, [], 'nothing is paid in bulk yet')
    bulk.paid(opening(1), 600)
    bulk.soon(opening(1), opening(2))
    bulk.soon(opening(1), opening(2))
    bulk.follow(opening(1), opening(2))
    bulk.paid(opening(2), 1)
    assert.deepEqual(told, [1, 2])
  })

  test('counts a bounded number of slots, and forgets the first', () => {
    const { bulk, told } = worldOf()
    bulk.paid(opening(1), 500)
    const many = (n: number): Opening =>
      ({ nullifier: Uint8Array.of(n >> 8, n & 255, 9, 9) }) as Opening
    for (let n = 0; n < 4096; n++) bulk.paid(many(n), 1)
    bulk.paid(opening(1), 500)
    assert.deepEqual(told, [])
  })
})
