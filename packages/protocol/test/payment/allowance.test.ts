import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createAllowance,
  createFreeBucket,
  createMeter,
  createPaddingWatch,
  MAX_BDP_BYTES,
} from '@byway/protocol/payment'
import { TOKEN_BYTES, UNIT_BYTES } from '@byway/protocol/ticket'

const KIB = 1024

describe('an allowance (SPEC §15.3)', () => {
  it('pays a unit before anything is used, and the next when a quarter is left', () => {
    const allowance = createAllowance(UNIT_BYTES)
    assert.equal(allowance.dueGrains(), 1)
    allowance.paid(1)
    assert.equal(allowance.dueGrains(), 0)
    assert.equal(allowance.count((UNIT_BYTES * 3) / 4), false)
    assert.equal(allowance.dueGrains(), 0)
    assert.equal(allowance.count(1), true)
    assert.equal(allowance.dueGrains(), 1)
  })

  it('pays what flows in two round trips ahead, in as few payments', () => {
    const allowance = createAllowance(TOKEN_BYTES)
    allowance.setBdp(6 * UNIT_BYTES)
    assert.equal(allowance.limitBytes, 16 * UNIT_BYTES)
    assert.equal(allowance.dueGrains(), 3)
    allowance.paid(3)
    assert.equal(allowance.aheadBytes, 12 * UNIT_BYTES)
    assert.equal(allowance.count(1), true)
    allowance.setBdp(1e12)
    assert.equal(allowance.limitBytes, 2 * MAX_BDP_BYTES + TOKEN_BYTES)
    allowance.setBdp(-1)
    assert.equal(allowance.limitBytes, 2 * TOKEN_BYTES)
  })

  it('pays again what was refused or lost', () => {
    const allowance = createAllowance(UNIT_BYTES)
    allowance.paid(1)
    allowance.unpaid(1)
    assert.equal(allowance.paidBytes, 0)
    assert.equal(allowance.dueGrains(), 1)
  })

  it('is never ahead by more than max(1 unit, 2 × BDP) and one unit (SPEC §15.3)', () => {
    const step = fc.record({
      bytes: fc.integer({ min: 0, max: 8 * UNIT_BYTES }),
      bdp: fc.option(fc.integer({ min: 0, max: 1e8 }), { nil: undefined, freq: 4 }),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(UNIT_BYTES, TOKEN_BYTES),
        fc.array(step, { maxLength: 60 }),
        (grain, steps) => {
          const allowance = createAllowance(grain)
          for (const { bytes, bdp } of steps) {
            if (bdp !== undefined) allowance.setBdp(bdp)
            allowance.count(bytes)
            const before = allowance.aheadBytes
            const grains = allowance.dueGrains()
            allowance.paid(grains)
            if (grains > 0) assert.ok(allowance.aheadBytes < allowance.limitBytes)
            if (grains > 0) assert.ok(before < allowance.limitBytes - grain)
            assert.equal(allowance.dueGrains(), 0)
          }
        },
      ),
    )
  })

  it('stops paying when service stops', () => {
    const allowance = createAllowance(UNIT_BYTES)
    let grains = 0
    for (let i = 0; i < 1000; i++) {
      grains += allowance.dueGrains()
      allowance.paid(allowance.dueGrains())
    }
    assert.equal(grains, 1)
  })

  it('believes a DUE that counts what died on the way, and not one that counts much more', () => {
    const allowance = createAllowance(UNIT_BYTES)
    allowance.paid(100)
    allowance.count(64 * UNIT_BYTES)
    const countedBytes = 66 * UNIT_BYTES
    assert.deepEqual(allowance.onDue({ countedBytes, paidBytes: 99 * UNIT_BYTES }), {
      isOvercounted: false,
      missingBytes: UNIT_BYTES,
    })
    assert.equal(allowance.countedBytes, countedBytes)
    const lie = allowance.onDue({ countedBytes: 80 * UNIT_BYTES, paidBytes: 200 * UNIT_BYTES })
    assert.deepEqual(lie, { isOvercounted: true, missingBytes: 0 })
    assert.equal(allowance.countedBytes, countedBytes)
    allowance.onDue({ countedBytes: 1, paidBytes: 100 * UNIT_BYTES })
    assert.equal(allowance.countedBytes, countedBytes)
  })
})

describe('a client and a hop that follow the rules', () => {
  /** Cells flow at full speed; payments take half a round trip to come. Returns how many milliseconds were held. */
  function run(rttMs: number, bytesPerMs: number, lengthMs: number): number {
    const allowance = createAllowance(UNIT_BYTES)
    const meter = createMeter(createFreeBucket({ capacityBytes: UNIT_BYTES, bytesPerS: 0 }, 0))
    allowance.setBdp(rttMs * bytesPerMs)
    const onTheWay: { atMs: number; bytes: number }[] = []
    const served: number[] = []
    let heldMs = 0
    for (let nowMs = 0; nowMs < lengthMs; nowMs++) {
      while (onTheWay[0] && onTheWay[0].atMs <= nowMs) {
        meter.pay(onTheWay.shift()?.bytes ?? 0, nowMs)
      }
      // A circuit begins slowly: its first payment is there before its full rate.
      if (meter.isServing) meter.count(nowMs < rttMs ? 0 : bytesPerMs, nowMs)
      else heldMs++
      served.push(meter.countedBytes)
      const seen = served[nowMs - Math.floor(rttMs / 2)] ?? 0
      allowance.count(seen - allowance.countedBytes)
      const grains = allowance.dueGrains()
      if (grains === 0) continue
      allowance.paid(grains)
      onTheWay.push({ atMs: nowMs + Math.ceil(rttMs / 2), bytes: grains * UNIT_BYTES })
    }
    return heldMs
  }

  it('never hold a cell, at 1 Mbit/s to 1 Gbit/s and up to 400 ms of round trip', () => {
    for (const rttMs of [2, 50, 400]) {
      for (const mbit of [1, 100, 1000]) {
        assert.equal(run(rttMs, mbit * 125, 3000), 0, `${rttMs} ms, ${mbit} Mbit/s`)
      }
    }
  })
})

describe('a padding watch (SPEC §15.3)', () => {
  /** Gives cells until the watch says no, at most `most`; returns how many it took. */
  function cellsTaken(
    most: number,
    cell: { bytes: number; useful: number; everyMs: number; isActive: boolean; sent?: number },
  ): number {
    const watch = createPaddingWatch(0)
    for (let i = 0; i < most; i++) {
      if (cell.sent !== undefined) watch.onSent(cell.sent)
      if (!watch.onCell(cell.bytes, cell.useful, i * cell.everyMs, cell.isActive)) return i
    }
    return most
  }

  it('closes after 256 KiB of empty cells', () => {
    const empty = { bytes: 16 * KIB, useful: 0, everyMs: 1, isActive: false }
    assert.equal(cellsTaken(1000, empty), 16)
  })

  it('lets a download pass that fills its cells to seven eighths, and not one to two thirds', () => {
    const bulk = { bytes: 16 * KIB, everyMs: 1, isActive: true }
    assert.equal(cellsTaken(10_000, { ...bulk, useful: 15 * KIB }), 10_000)
    assert.ok(cellsTaken(10_000, { ...bulk, useful: 10 * KIB }) < 100)
  })

  it('lets an upload pass whose acknowledgements come in cells of their own', () => {
    const acks = { bytes: KIB, useful: 0, everyMs: 0, isActive: true, sent: 64 * KIB }
    assert.equal(cellsTaken(10_000, acks), 10_000)
  })

  it('lets small answers pass while a stream is open: sixty a second, a few words each', () => {
    const words = { bytes: KIB, useful: 60, everyMs: 17, isActive: true }
    assert.equal(cellsTaken(10_000, words), 10_000)
    assert.ok(cellsTaken(10_000, { ...words, isActive: false }) < 300)
  })
})
