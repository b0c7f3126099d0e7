/** How fast a slot is served (SPEC §15.2): as fast as a toll can pass while it is ours, else at the rate of the specification. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { createFreeBucket, UNLOCKED_BYTES_PER_S } from '@byway/protocol/payment'
import type { SlotStanding } from '@byway/protocol/payment'
import { createCellToll } from '../../src/money/held-cells.ts'
import type { TollUser } from '../../src/money/held-cells.ts'
import { createLinkPace } from '../../src/money/link-pace.ts'
import type { PacedSlot } from '../../src/money/link-pace.ts'
import { createMeterWatch, TURN_MS } from '../../src/money/meter-watch.ts'
import { createTestClock } from './test-clock.ts'

const CELL_BYTES = 16_384
const BURST_BYTES = 4 * 1024 * 1024
const ENOUGH_BYTES = 1e12

type Standing = { standing: SlotStanding; asked: number }

function slotOf(state: Standing): PacedSlot {
  return {
    standing: () => {
      state.asked++
      return Promise.resolve(state.standing)
    },
  }
}

/** A link that has paid for everything, and whoever sends keeps `windowBytes` waiting at it. */
function worldOf(standing: SlotStanding) {
  const clock = createTestClock()
  const state: Standing = { standing, asked: 0 }
  const shown = { slot: slotOf(state) }
  const watch = createMeterWatch(clock)
  const turns = createMeterWatch(clock, TURN_MS)
  const dues: unknown[] = []
  const toll = createCellToll({
    watch,
    free: createFreeBucket({ capacityBytes: 0, bytesPerS: 0 }, 0),
    onDue: (due) => void dues.push(due),
    pace: { of: createLinkPace(() => shown.slot), watch: turns },
  })
  toll.credit(ENOUGH_BYTES)
  const passed = { bytes: 0, marks: [] as number[], gaveUp: false }
  const user: TollUser = {
    release: (cell) => {
      passed.bytes += cell.length
      passed.marks.push(cell[0] ?? 0)
    },
    giveUp: () => {
      passed.gaveUp = true
    },
  }
  let mark = 0
  const offer = (bytes: number): void => {
    const cell = new Uint8Array(bytes)
    cell[0] = mark = (mark + 1) % 256
    if (toll.pass(bytes)) user.release(cell, true)
    else toll.hold(user, cell, true)
  }
  /** Lets time pass, with never less than so much waiting. */
  const run = async (
    ms: number,
    windowBytes: number,
    lateMs: () => number,
    cells = 1024,
  ): Promise<void> => {
    for (let done = 0; done < ms;) {
      for (let n = 0; toll.heldBytes < windowBytes && n < cells; n++) offer(CELL_BYTES)
      const step = Math.min(ms - done, lateMs())
      clock.pass(step)
      done += step
      // What the slot says of itself arrives in a promise.
      await Promise.resolve()
      await Promise.resolve()
    }
  }
  return { clock, state, shown, watch, turns, dues, toll, passed, offer, run }
}

suite('the pace of a link (SPEC §15.2)', () => {
  test('a slot that nobody holds gets 12.5 MB/s within 5 % over ten seconds, however late timers run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.integer({ min: 5, max: 250 })),
        fc.integer({ min: 6, max: 30 }),
        async (lateness, windowMib) => {
          const world = worldOf('open')
          const lateMs = (): number => lateness.next().value ?? 20
          await world.run(1000, windowMib * 1024 * 1024, lateMs)
          const before = world.passed.bytes
          await world.run(10_000, windowMib * 1024 * 1024, lateMs)
          const share = (world.passed.bytes - before) / (10 * UNLOCKED_BYTES_PER_S)
          assert.ok(share > 0.95 && share < 1.05, `${share} of the rate`)
          assert.equal(world.passed.gaveUp, false)
        },
      ),
      { numRuns: 6 },
    )
  })

  test('never passes more than the rate, a burst and a cell, however cells come', () => {
    const step = fc.oneof(
      fc.record({ cells: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ wait: fc.integer({ min: 1, max: 3000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, toll, passed, offer } = worldOf('open')
        const startMs = clock.nowMs()
        let offered = 0
        for (const each of steps) {
          if ('wait' in each) clock.pass(each.wait)
          else
            for (let n = 0; n < each.cells && toll.heldBytes < 8e6; n++) {
              offer(CELL_BYTES)
              offered++
            }
          const most = ((clock.nowMs() - startMs) * UNLOCKED_BYTES_PER_S) / 1000 + BURST_BYTES
          assert.ok(passed.bytes <= most + CELL_BYTES)
        }
        clock.pass(60_000)
        assert.equal(passed.bytes, offered * CELL_BYTES, 'all go in the end')
        assert.equal(toll.heldBytes, 0)
        const rising = passed.marks.every((mark, at) => mark === (at + 1) % 256)
        assert.ok(rising, 'in their order')
      }),
      { numRuns: 20 },
    )
  })

  test('a slot of ours is not held up; one that lapses is, within twenty seconds', async () => {
    const { state, toll, passed, run, turns } = worldOf('mine')
    const lateMs = (): number => 20
    await run(20, CELL_BYTES, lateMs)
    const before = passed.bytes
    // Four times the rate, and nothing waits.
    await run(1000, CELL_BYTES, lateMs, 64)
    assert.ok(passed.bytes - before >= 4 * UNLOCKED_BYTES_PER_S)
    assert.deepEqual([toll.heldBytes, turns.size], [0, 0])
    assert.ok(state.asked <= 3, `asked ${state.asked} times`)
    state.standing = 'open'
    await run(20_000, CELL_BYTES, lateMs, 16)
    const lapsed = passed.bytes
    await run(10_000, CELL_BYTES, lateMs, 32)
    const share = (passed.bytes - lapsed) / (10 * UNLOCKED_BYTES_PER_S)
    assert.ok(share > 0.95 && share < 1.05, `${share} of the rate`)
  })

  test('what waits goes on as soon as the slot is ours, and the next slot begins as another', async () => {
    const { state, shown, toll, run, clock } = worldOf('open')
    await run(2000, 8e6, () => 20)
    assert.ok(toll.heldBytes > 4e6)
    state.standing = 'mine'
    await run(1100, 0, () => 20)
    assert.equal(toll.heldBytes, 0)
    const next: Standing = { standing: 'open', asked: 0 }
    shown.slot = slotOf(next)
    await run(1000, 8e6, () => 20)
    assert.ok(toll.heldBytes > 0)
    assert.ok(next.asked > 0)
    clock.pass(1)
  })

  test('a chain that cannot be asked changes nothing', async () => {
    const { state, toll, run } = worldOf('mine')
    await run(100, CELL_BYTES, () => 10)
    state.standing = 'unknown'
    await run(25_000, CELL_BYTES, () => 100)
    assert.equal(toll.heldBytes, 0)
  })

  test('waiting for a turn is no standstill: nobody is asked for pay or given up', async () => {
    const { dues, passed, watch, run } = worldOf('open')
    const before = dues.length
    await run(70_000, 8e6, () => 250)
    assert.equal(dues.length, before)
    assert.equal(watch.size, 0)
    assert.equal(passed.gaveUp, false)
  })
})
