import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createAllowance,
  createFreeBucket,
  createMeter,
  createPaddingWatch,
  MAX_BDP_BYTES,
  SAME_PRICE,
} from '@byway/protocol/payment'
import type { Allowance, FlowRate, HopRecord, PaymentSizes } from '@byway/protocol/payment'
import { UNIT_BYTES } from '@byway/protocol/ticket'

const KIB = 1024
const TOKEN_BYTES = 4 * UNIT_BYTES
/** No larger ones. */
const UNITS: PaymentSizes = [UNIT_BYTES]
const TICKETS: PaymentSizes = [UNIT_BYTES, 2 * UNIT_BYTES, 4 * UNIT_BYTES, 16 * UNIT_BYTES]
const TOKENS: PaymentSizes = [TOKEN_BYTES, 32 * UNIT_BYTES]

/** The record of a hop that kept nothing. */
const recordOf = (servedBytes: number): HopRecord => ({ servedBytes, lostBytes: 0 })

/** A flow without pauses. */
const steady = (perMs: number): FlowRate => ({ perMs, presentPerMs: perMs })

/** Pays what is due; gives each payment. */
function payUp(allowance: Allowance): number[] {
  const sizes: number[] = []
  for (let bytes = allowance.dueBytes(); bytes > 0; bytes = allowance.dueBytes()) {
    allowance.paid(bytes)
    sizes.push(bytes)
  }
  return sizes
}

describe('an allowance (SPEC §15.3)', () => {
  it('pays a unit before anything is used, and the next when a quarter is left', () => {
    const allowance = createAllowance(TICKETS)
    assert.deepEqual(payUp(allowance), [UNIT_BYTES])
    assert.equal(allowance.count((UNIT_BYTES * 3) / 4), false)
    assert.deepEqual(payUp(allowance), [])
    assert.equal(allowance.count(1), true)
    assert.deepEqual(payUp(allowance), [UNIT_BYTES])
  })

  it('pays what flows in two round trips ahead, in as few payments', () => {
    const allowance = createAllowance(TOKENS, SAME_PRICE, recordOf(1000 * UNIT_BYTES))
    allowance.setRate(steady(UNIT_BYTES), 6)
    assert.equal(allowance.limitBytes, 16 * UNIT_BYTES)
    assert.deepEqual(payUp(allowance), [TOKEN_BYTES, TOKEN_BYTES, TOKEN_BYTES])
    assert.equal(allowance.count(1), true)
    allowance.setRate(steady(1e6), 1e6)
    assert.equal(allowance.limitBytes, 2 * MAX_BDP_BYTES + TOKEN_BYTES)
    allowance.setRate(steady(-1), 1)
    assert.equal(allowance.limitBytes, 2 * TOKEN_BYTES)
  })

  it('pays more at a time where sixteen times as much was served and it is used within a second', () => {
    const allowance = createAllowance(TOKENS)
    const [slow, fast] = [20_000, 40_000]
    const next = (bytes: number, bytesPerMs: number): number => {
      allowance.setRate(steady(bytesPerMs), 0)
      allowance.count(bytes)
      return payUp(allowance).at(-1) ?? 0
    }
    assert.equal(next(511 * UNIT_BYTES, fast), TOKEN_BYTES)
    assert.equal(next(5 * UNIT_BYTES, fast), 32 * UNIT_BYTES)
    assert.equal(next(32 * UNIT_BYTES, slow), TOKEN_BYTES)
    allowance.count(32 * UNIT_BYTES)
    allowance.setRate({ perMs: fast, presentPerMs: slow }, 0)
    assert.equal(payUp(allowance).at(-1), TOKEN_BYTES, 'fast, with pauses between')
  })

  it('pays again what was refused or lost', () => {
    const allowance = createAllowance(TICKETS)
    allowance.paid(UNIT_BYTES)
    allowance.unpaid(UNIT_BYTES)
    assert.equal(allowance.paidBytes, 0)
    assert.deepEqual(payUp(allowance), [UNIT_BYTES])
  })

  it('is never ahead by more than max(1 unit, 2 × BDP) and one payment, that no more than a sixteenth of what was served and what passes in a second, or the least (SPEC §15.3)', () => {
    const step = fc.record({
      bytes: fc.integer({ min: 0, max: 64 * UNIT_BYTES }),
      rate: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: undefined, freq: 4 }),
      rttMs: fc.integer({ min: 0, max: 1000 }),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(TICKETS, TOKENS),
        fc.array(step, { maxLength: 60 }),
        (sizes, steps) => {
          const allowance = createAllowance(sizes)
          let [servedBytes, perMs] = [0, 0]
          for (const { bytes, rate, rttMs } of steps) {
            perMs = rate ?? perMs
            if (rate !== undefined) allowance.setRate(steady(rate), rttMs)
            allowance.count(bytes)
            servedBytes += bytes
            for (const paid of payUp(allowance)) {
              assert.ok(allowance.aheadBytes < allowance.limitBytes)
              assert.ok(paid === sizes[0] || paid <= Math.min(servedBytes / 16, perMs * 1000))
            }
          }
        },
      ),
    )
  })

  it('pays a hop that holds cells back, lets them go at once and stops no more than it served once, and then a sixteenth', () => {
    const record = recordOf(0)
    const [burst, links] = [6 * UNIT_BYTES, 40]
    let paid = 0
    for (let link = 1; link <= links; link++) {
      const allowance = createAllowance(TICKETS, SAME_PRICE, record)
      allowance.count(burst)
      allowance.setRate(steady(burst / 100), 1000)
      payUp(allowance)
      const lie = allowance.onDue({ countedBytes: 8 * burst, paidBytes: allowance.paidBytes })
      assert.equal(lie.isOvercounted, true)
      // As much more as is believed.
      allowance.onDue({ countedBytes: burst + burst / 32, paidBytes: allowance.paidBytes })
      payUp(allowance)
      allowance.end()
      paid += allowance.paidBytes
      const least = 3 * UNIT_BYTES * link
      assert.ok(paid <= link * burst + burst + (link * burst) / 16 + least, `${paid} of ${link}`)
    }
    assert.ok(record.lostBytes <= burst + (links * burst) / 16 + links * 2 * UNIT_BYTES)
  })

  it('stops paying when service stops', () => {
    const allowance = createAllowance(TICKETS)
    let payments = 0
    for (let i = 0; i < 1000; i++) payments += payUp(allowance).length
    assert.equal(payments, 1)
  })

  it('believes a DUE that counts what died on the way, and not one that counts much more', () => {
    const allowance = createAllowance(UNITS)
    allowance.paid(100 * UNIT_BYTES)
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
  /** What a circuit has in flight when it begins. */
  const FIRST_WINDOW = 128 * KIB

  /** Cells flow at full speed; payments take half a round trip to come. Returns how many milliseconds were held. */
  function run(rttMs: number, bytesPerMs: number, lengthMs: number): number {
    const allowance = createAllowance(TICKETS)
    const meter = createMeter(createFreeBucket({ capacityBytes: UNIT_BYTES, bytesPerS: 0 }, 0))
    allowance.setRate(steady(bytesPerMs), rttMs)
    // Slow start: what passes doubles with each round trip.
    const flowing = (nowMs: number): number =>
      nowMs < rttMs ? 0 : Math.min(bytesPerMs, (FIRST_WINDOW / rttMs) * 2 ** (nowMs / rttMs - 1))
    const onTheWay: { atMs: number; bytes: number }[] = []
    const served: number[] = []
    let heldMs = 0
    for (let nowMs = 0; nowMs < lengthMs; nowMs++) {
      while (onTheWay[0] && onTheWay[0].atMs <= nowMs) {
        meter.pay(onTheWay.shift()?.bytes ?? 0, nowMs)
      }
      if (meter.isServing) meter.count(Math.floor(flowing(nowMs)), nowMs)
      else heldMs++
      served.push(meter.countedBytes)
      const seen = served[nowMs - Math.floor(rttMs / 2)] ?? 0
      allowance.count(seen - allowance.countedBytes)
      const atMs = nowMs + Math.ceil(rttMs / 2)
      for (const bytes of payUp(allowance)) onTheWay.push({ atMs, bytes })
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
