/** What each side can lose to the other, in money: a hop that takes pay and does not serve, a client that is served and does not pay. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  createAllowance,
  createFreePrefixes,
  createMeter,
  createPaddingWatch,
  type Meter,
} from '@byway/protocol/payment'
import { UNIT_BYTES, unitPrice } from '@byway/protocol/ticket'
import fc from 'fast-check'
import { POOL } from '../ticket/ticket-world.ts'

const KIB = 1024
const CELL = 16 * KIB
const RTT_MS = 20
const rateOf = (bdp: number) => ({ perMs: bdp / RTT_MS, presentPerMs: bdp / RTT_MS })
/** As at an entry. */
const SIZES = [1, 2, 4, 8, 16, 32, 64].map((units) => units * UNIT_BYTES) as [number, ...number[]]
const PRICE = Number(unitPrice(POOL, 4))
/** What bytes cost, in the token's smallest part. */
const worth = (bytes: number): number => (bytes / UNIT_BYTES) * PRICE

const flow = fc.record({
  bdp: fc.integer({ min: 0, max: 20 * UNIT_BYTES }),
  cells: fc.integer({ min: 0, max: 40_000 }),
})

describe('what a client can lose (THREAT-MODEL T21)', () => {
  it('to a hop that stops serving whenever it likes, whatever it makes the BDP seem: what it served, max(1 unit, 2 × BDP), and a unit or a sixteenth of what it served', () => {
    fc.assert(
      fc.property(flow, ({ bdp, cells }) => {
        const allowance = createAllowance(SIZES)
        allowance.setRate(rateOf(bdp), RTT_MS)
        let paid = 0
        for (let i = 0; i < cells; i++) {
          if (i > 0) allowance.count(CELL)
          for (let due = allowance.dueBytes(); due > 0; due = allowance.dueBytes()) {
            paid += worth(due)
            allowance.paid(due)
          }
          const served = allowance.countedBytes
          const ahead = Math.max(UNIT_BYTES, Math.min(2 * bdp, served))
          const most = ahead + Math.max(UNIT_BYTES, served / 16)
          assert.ok(paid - worth(served) <= worth(most) * (1 + 1e-9))
        }
      }),
    )
  })

  it('to a hop that counts too much in every DUE: what may be in flight, and a thirty-second part', () => {
    fc.assert(
      fc.property(flow, fc.array(fc.nat(3 * UNIT_BYTES)), ({ bdp, cells }, lies) => {
        const allowance = createAllowance(SIZES)
        allowance.setRate(rateOf(bdp), RTT_MS)
        const own = cells * CELL
        allowance.count(own)
        for (const lie of lies) {
          const countedBytes = allowance.countedBytes + lie
          allowance.onDue({ countedBytes, paidBytes: 0 })
          const most = own + Math.max(UNIT_BYTES, Math.min(2 * bdp, own)) + own / 32
          assert.ok(allowance.countedBytes <= most)
        }
      }),
    )
  })

  /** Padding at a rate, beside 64 KiB a second that were asked for; ends when the watch says no, at the latest after an hour. */
  function pad(kibPerS: number): { padding: number; seconds: number } {
    const watch = createPaddingWatch(0)
    let padding = 0
    for (let seconds = 0; seconds < 3600; seconds++) {
      for (let quarter = 0; quarter < 4; quarter++) {
        const nowMs = seconds * 1000 + quarter * 250
        if (!watch.onCell(CELL, CELL, nowMs, true)) return { padding, seconds }
        padding += (kibPerS * KIB) / 4
        if (!watch.onCell((kibPerS * KIB) / 4, 0, nowMs, true)) return { padding, seconds }
      }
    }
    return { padding, seconds: 3600 }
  }

  it('to an exit that pads: an eighth of what was asked for, 64 KiB a second, and 256 KiB', () => {
    for (const kibPerS of [80, 128, 1024, 16_384]) {
      const { padding, seconds } = pad(kibPerS)
      assert.ok(seconds < 60, `${kibPerS} KiB/s went on for ${seconds} s`)
      const step = (kibPerS * KIB) / 4
      assert.ok(padding <= 256 * KIB + (64 + 8) * KIB * (seconds + 1) + step)
    }
    assert.equal(pad(64).seconds, 3600)
  })
})

describe('what a hop can lose (THREAT-MODEL T22)', () => {
  /** Serves for as long as the meter says; returns the bytes. */
  function serve(meter: Meter, seconds: number): number {
    let bytes = 0
    for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 100) {
      if (meter.wakeAtMs <= nowMs) meter.tick(nowMs)
      for (let cells = 0; cells < 64 && meter.isServing; cells++) {
        meter.count(CELL, nowMs)
        bytes += CELL
      }
    }
    return bytes
  }

  it('to a client that never pays: a megabyte, 4 KiB a second, and the cell that showed it', () => {
    const link = createFreePrefixes().linkBucket('192.0.2', 0)
    const seconds = 3600
    const bytes = serve(createMeter(link), seconds)
    assert.ok(bytes <= UNIT_BYTES + 4 * KIB * seconds + CELL, `${bytes}`)
    assert.ok(bytes >= UNIT_BYTES + 4 * KIB * (seconds - 20), `${bytes}`)
  })

  it('to all clients of a prefix that never pay: eight megabytes, 32 KiB a second, and a cell each', () => {
    const prefixes = createFreePrefixes()
    const [links, seconds] = [64, 600]
    const meters = Array.from({ length: links }, () =>
      createMeter(prefixes.linkBucket('192.0.2', 0)),
    )
    let bytes = 0
    for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 100) {
      for (const meter of meters) {
        if (meter.wakeAtMs <= nowMs) meter.tick(nowMs)
        while (meter.isServing) {
          meter.count(CELL, nowMs)
          bytes += CELL
        }
      }
    }
    const most = 8 * UNIT_BYTES + 32 * KIB * seconds + links * CELL
    assert.ok(bytes <= most, `${bytes} of ${most}`)
  })

  it('to a client that stops paying: the cell that showed it, once the free bytes are gone', () => {
    const meter = createMeter({ draw: () => 0, readyAtMs: () => Number.POSITIVE_INFINITY })
    meter.pay(100 * UNIT_BYTES, 0)
    const bytes = serve(meter, 600)
    assert.ok(worth(bytes) - 100 * PRICE <= worth(CELL))
    assert.equal(bytes, 100 * UNIT_BYTES + CELL)
  })
})
