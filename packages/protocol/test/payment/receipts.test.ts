/** When receipts are signed and which are taken (SPEC §17.1). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createReceiptCount,
  createReceiptLimit,
  epochOf,
  receiptStep,
} from '@byway/protocol/payment'

const WEEK = 2969
const MOST = 8192

describe('the schedule of receipts (SPEC §17.1)', () => {
  it('has steps at 16, 32, … 512 units, then every 512', () => {
    const steps = new Set<number>()
    for (let units = 0; units <= 2048; units++) steps.add(receiptStep(units))
    assert.deepEqual([...steps], [0, 16, 32, 64, 128, 256, 512, 1024, 1536, 2048])
  })

  it('counts epochs from 1970', () => {
    assert.equal(epochOf(604_800 * WEEK, 604_800), WEEK)
    assert.equal(epochOf(604_800 * WEEK - 1, 604_800), WEEK - 1)
  })
})

describe('a client’s count of a slot', () => {
  it('signs at each step what was paid by then, and the rest at the end', () => {
    const count = createReceiptCount(MOST)
    const signed: number[] = []
    for (let paid = 0; paid < 100; paid++) {
      count.paid(WEEK, 1)
      const due = count.due(false)
      if (due) signed.push(due.units)
    }
    assert.deepEqual(signed, [16, 32, 64])
    assert.deepEqual(count.due(true), { epoch: WEEK, units: 100 })
    assert.equal(count.due(true), undefined)
  })

  it('goes on from its own receipt of a former life, once', () => {
    const count = createReceiptCount(MOST)
    assert.equal(count.mayHold(WEEK), true)
    count.hold(WEEK, 500)
    assert.equal(count.mayHold(WEEK), false, 'a hop could count its own receipts twice')
    count.paid(WEEK, 12)
    assert.deepEqual(count.due(false), { epoch: WEEK, units: 512 })
  })

  it('takes no hop’s word once it has signed in this life', () => {
    const count = createReceiptCount(MOST)
    count.paid(WEEK, 16)
    assert.ok(count.due(false))
    assert.equal(count.mayHold(WEEK), false)
  })

  it('signs nothing for tickets that were refused, and nothing above what a slot pays', () => {
    const count = createReceiptCount(40)
    count.paid(WEEK, 30)
    count.refused(20)
    assert.equal(count.due(false), undefined)
    count.paid(WEEK, 90)
    assert.deepEqual(count.due(false), { epoch: WEEK, units: 40 })
    count.paid(WEEK, 900)
    assert.equal(count.due(true), undefined)
  })

  it('signs again what the hop never confirmed', () => {
    const count = createReceiptCount(MOST)
    count.paid(WEEK, 16)
    assert.ok(count.due(false))
    count.confirmed(WEEK, 16)
    count.paid(WEEK, 16)
    assert.deepEqual(count.due(false), { epoch: WEEK, units: 32 })
    assert.equal(count.isConfirmed, false)
    count.startAgain()
    assert.equal(count.isConfirmed, true)
    assert.deepEqual(count.due(false), { epoch: WEEK, units: 32 })
    count.confirmed(WEEK, 33)
    assert.equal(count.isConfirmed, false, 'more than was signed')
    assert.equal(count.mayHold(WEEK), false)
  })

  it('begins each epoch at nothing', () => {
    const count = createReceiptCount(MOST)
    count.paid(WEEK, 100)
    count.due(true)
    count.paid(WEEK + 1, 16)
    assert.deepEqual(count.due(false), { epoch: WEEK + 1, units: 16 })
    assert.equal(count.mayHold(WEEK), false, 'a past week')
  })
})

describe('a hop’s limit for a slot', () => {
  it('takes what was paid, in rising order, and no more', () => {
    const limit = createReceiptLimit(WEEK, 0, MOST)
    limit.took(16)
    limit.paid(16)
    assert.equal(limit.mayTake(16), false)
    assert.equal(limit.mayTake(32), true)
    assert.equal(limit.mayTake(33), false)
    limit.took(32)
    assert.equal(limit.heldUnits, 32)
    assert.equal(limit.mayTake(32), false)
  })

  it('lets the first receipt of its life cover what it forgot in a restart, up to a step', () => {
    const limit = createReceiptLimit(WEEK, 512, MOST)
    limit.paid(10)
    assert.equal(limit.mayTake(1034), true)
    assert.equal(limit.mayTake(1035), false)
    limit.took(1034)
    limit.paid(1)
    assert.equal(limit.mayTake(1036), false)
  })

  it('takes every receipt of an honest client that lives through restarts of both (property)', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('pay' as const), units: fc.integer({ min: 1, max: 16 }) }),
      fc.record({ type: fc.constant('client restarts' as const) }),
      fc.record({ type: fc.constant('hop restarts' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        let count = createReceiptCount(MOST)
        let limit = createReceiptLimit(WEEK, 0, MOST)
        let stored = 0
        let paid = 0
        for (const each of steps) {
          if (each.type === 'client restarts') {
            count = createReceiptCount(MOST)
            if (stored > 0) count.hold(WEEK, stored)
          } else if (each.type === 'hop restarts') limit = createReceiptLimit(WEEK, stored, MOST)
          else {
            paid += each.units
            count.paid(WEEK, each.units)
            limit.paid(each.units)
            const due = count.due(false)
            if (!due) continue
            assert.ok(limit.mayTake(due.units), `${due.units} of ${paid}`)
            limit.took(due.units)
            stored = due.units
            assert.ok(stored <= paid)
          }
        }
      }),
    )
  })
})
