import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { createFreeBucket, createFreePrefixes } from '@byway/protocol/payment'
import type { Due, FreeBytes } from '@byway/protocol/payment'
import { createCellToll, MAX_HELD_BYTES } from '../../src/money/held-cells.ts'
import type { CellToll, TollUser } from '../../src/money/held-cells.ts'
import { createMeterWatch } from '../../src/money/meter-watch.ts'
import { createTestClock } from './test-clock.ts'

const KIB = 1024

type User = TollUser & {
  readonly passed: number[]
  isGivenUp: boolean
}

function worldOf(windowBytes: number, free: FreeBytes = windowOf(windowBytes)) {
  const clock = createTestClock()
  const watch = createMeterWatch(clock)
  const dues: Due[] = []
  const toll = createCellToll({ watch, free, onDue: (due) => void dues.push(due) })
  const userOf = (): User => {
    const user: User = {
      passed: [],
      isGivenUp: false,
      release: (cell) => void user.passed.push(cell[0] ?? 0),
      giveUp: () => {
        user.isGivenUp = true
        toll.forget(user)
      },
    }
    return user
  }
  return { clock, watch, dues, toll, userOf }
}

function windowOf(capacityBytes: number): FreeBytes {
  return createFreeBucket({ capacityBytes, bytesPerS: 0 }, 0)
}

/** Passes a cell of this size marked with a number, or has it held. */
function offer(toll: CellToll, user: User, bytes: number, mark: number): void {
  const cell = new Uint8Array(bytes)
  cell[0] = mark
  if (toll.pass(bytes)) user.release(cell, true)
  else toll.hold(user, cell, true)
}

suite('a toll for cells (SPEC §15.3, §15.4)', () => {
  test('passes what is within the window and the cell that shows its end, holds what comes after, and asks once', () => {
    const { dues, toll, userOf } = worldOf(4 * KIB)
    const user = userOf()
    for (let mark = 1; mark <= 7; mark++) offer(toll, user, KIB, mark)
    assert.deepEqual(user.passed, [1, 2, 3, 4, 5])
    assert.equal(toll.heldBytes, 2 * KIB)
    assert.deepEqual(dues, [{ countedBytes: 5 * KIB, paidBytes: 4 * KIB }])
  })

  test('a small cell does not overtake a large one that waits', () => {
    const { toll, userOf } = worldOf(0)
    const user = userOf()
    offer(toll, user, KIB, 0)
    offer(toll, user, 16 * KIB, 1)
    offer(toll, user, KIB, 2)
    assert.deepEqual(user.passed, [0])
    toll.credit(KIB)
    assert.deepEqual(user.passed, [0, 1])
    toll.credit(16 * KIB)
    assert.deepEqual(user.passed, [0, 1, 2])
  })

  test('pay releases what waits in order, as far as it reaches', () => {
    const { toll, userOf, dues, watch } = worldOf(0)
    const user = userOf()
    for (let mark = 1; mark <= 6; mark++) offer(toll, user, KIB, mark)
    assert.deepEqual(user.passed, [1])
    toll.credit(2 * KIB)
    assert.deepEqual(user.passed, [1, 2, 3])
    assert.equal(watch.size, 1)
    toll.credit(10 * KIB)
    assert.deepEqual(user.passed, [1, 2, 3, 4, 5, 6])
    assert.equal(watch.size, 0)
    assert.equal(dues.length, 2, 'once for each standstill')
    assert.equal(toll.countedBytes, 6 * KIB)
  })

  test('gives up whoever waits 60 s after the last pay, and nobody else', () => {
    const { clock, toll, userOf, dues } = worldOf(KIB)
    const [idle, late] = [userOf(), userOf()]
    offer(toll, idle, KIB, 1)
    for (let mark = 2; mark <= 5; mark++) offer(toll, late, KIB, mark)
    clock.pass(59_000)
    toll.credit(KIB)
    clock.pass(59_000)
    assert.equal(late.isGivenUp, false)
    clock.pass(1500)
    assert.equal(late.isGivenUp, true)
    assert.equal(idle.isGivenUp, false)
    assert.equal(toll.heldBytes, 0)
    // Whoever comes next is told anew, and served when paid.
    const before = dues.length
    offer(toll, idle, KIB, 9)
    assert.equal(dues.length, before + 1)
    toll.credit(2 * KIB)
    assert.deepEqual(idle.passed, [1, 9])
  })

  test('gives up a circuit whose cells find no room', () => {
    const { toll, userOf } = worldOf(0)
    const [greedy, other] = [userOf(), userOf()]
    offer(toll, other, KIB, 0)
    offer(toll, other, KIB, 1)
    for (let mark = 0; !greedy.isGivenUp; mark++) {
      assert.ok(toll.heldBytes <= MAX_HELD_BYTES)
      offer(toll, greedy, 16 * KIB, mark % 256)
    }
    assert.equal(toll.heldBytes, KIB)
    toll.credit(KIB)
    assert.deepEqual(other.passed, [0, 1])
  })

  test('lists for the hop always count, and going far beyond the pay is an overrun', () => {
    const { toll } = worldOf(KIB)
    for (let i = 0; i < 65; i++) toll.count(KIB)
    assert.equal(toll.isOverrun, false)
    toll.count(KIB)
    assert.equal(toll.isOverrun, true)
    toll.credit(10 * KIB)
    assert.equal(toll.isOverrun, false)
  })

  test('never passes more than was paid and free and one cell, whatever the order of cells and pay', () => {
    const step = fc.oneof(
      fc.record({ cell: fc.constantFrom(KIB, 4 * KIB, 16 * KIB) }),
      fc.record({ pay: fc.integer({ min: 1, max: 40 * KIB }) }),
      fc.record({ wait: fc.integer({ min: 1, max: 4000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { clock, toll, userOf } = worldOf(8 * KIB)
        const user = userOf()
        let paid = 0
        let passed = 0
        user.release = (cell) => void (passed += cell.length)
        for (const each of steps) {
          if ('cell' in each) offer(toll, user, each.cell, 0)
          else if ('wait' in each) clock.pass(each.wait)
          else toll.credit(((paid += each.pay), each.pay))
          assert.ok(passed <= paid + 8 * KIB + 16 * KIB)
          assert.equal(toll.countedBytes, passed)
        }
      }),
    )
  })

  test('a link without pay goes on with what comes free', () => {
    const free = createFreePrefixes().linkBucket('192.0.2', 1000)
    const { clock, toll, userOf } = worldOf(0, free)
    const user = userOf()
    for (let i = 0; i < 1025; i++) offer(toll, user, KIB, 1)
    assert.equal(user.passed.length, 1025)
    for (let i = 0; i < 8; i++) offer(toll, user, KIB, 2)
    clock.pass(1500)
    assert.equal(user.passed.length, 1025 + 6)
    clock.pass(1000)
    assert.equal(user.passed.length, 1025 + 8)
    for (let i = 0; i < 100; i++) offer(toll, user, KIB, 3)
    clock.pass(30_000)
    assert.equal(user.isGivenUp, false, 'it goes on as fast as free bytes come')
    assert.equal(user.passed.length, 1025 + 108)
  })
})
