import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createCircuitFree, createFreeBucket, createFreePrefixes } from '@byway/protocol/payment'
import { createMeter, HOLD_MS, type Meter } from '@byway/protocol/payment'

const KIB = 1024
const MIB = 1024 * KIB
const CELL = 16 * KIB

/** An entry's meter of a link that is alone in its prefix. */
function entryMeter(): Meter {
  return createMeter(createFreePrefixes().linkBucket('192.0.2', 0))
}

function countUntilHeld(meter: Meter, nowMs: number): number {
  let bytes = 0
  while (meter.isServing) {
    meter.count(CELL, nowMs)
    bytes += CELL
  }
  return bytes
}

describe('a meter at an entry (SPEC §15.3)', () => {
  it('serves 1 MiB for nothing, then holds and says DUE once', () => {
    const meter = entryMeter()
    assert.equal(countUntilHeld(meter, 0), MIB + CELL)
    assert.deepEqual(meter.takeDue(), { countedBytes: MIB + CELL, paidBytes: MIB })
    assert.equal(meter.takeDue(), undefined)
    assert.equal(meter.count(CELL, 1), false)
    assert.equal(meter.takeDue(), undefined)
  })

  it('serves on at once when it is paid', () => {
    const meter = entryMeter()
    countUntilHeld(meter, 0)
    assert.equal(meter.pay(MIB, 5), true)
    assert.equal(meter.wakeAtMs, Number.POSITIVE_INFINITY)
    assert.equal(meter.takeDue(), undefined)
    assert.equal(countUntilHeld(meter, 5), MIB)
  })

  it('does not serve on before the whole debt is paid', () => {
    const meter = createMeter(createFreeBucket({ capacityBytes: 0, bytesPerS: 0 }, 0))
    for (let i = 0; i < 3; i++) meter.count(CELL, 0)
    assert.equal(meter.pay(2 * CELL, 0), false)
    assert.equal(meter.pay(CELL, 0), true)
    assert.equal(meter.count(1, 0), false)
  })

  it('draws nothing free while it is paid', () => {
    const meter = entryMeter()
    meter.pay(MIB, 0)
    for (let i = 0; i < 64; i++) assert.equal(meter.count(CELL, 0), true)
    assert.equal(meter.freeBytes, 0)
    assert.equal(meter.count(1, 0), true)
    assert.equal(meter.freeBytes, 1)
  })

  it('serves on when what it counted never went', () => {
    const meter = createMeter(createCircuitFree(0))
    const bytes = countUntilHeld(meter, 0)
    assert.equal(meter.refund(CELL - 1, 0), false)
    assert.equal(meter.refund(1, 0), true)
    assert.equal(meter.countedBytes, bytes - CELL)
  })

  it('destroys after 60 s, and after 60 s more what came later', () => {
    const meter = createMeter(createCircuitFree(0))
    countUntilHeld(meter, 1000)
    assert.equal(meter.wakeAtMs, 1000 + HOLD_MS)
    assert.equal(meter.tick(1000 + HOLD_MS - 1), 'hold')
    assert.notEqual(meter.takeDue(), undefined)
    assert.equal(meter.tick(1000 + HOLD_MS), 'destroy')
    assert.notEqual(meter.takeDue(), undefined)
    assert.equal(meter.wakeAtMs, 1000 + 2 * HOLD_MS)
    assert.equal(meter.tick(1000 + 2 * HOLD_MS), 'destroy')
  })

  it('goes on by itself when free bytes have come: 4 KiB a second', () => {
    const meter = entryMeter()
    countUntilHeld(meter, 0)
    const wakeAtMs = meter.wakeAtMs
    assert.equal(wakeAtMs, 4000)
    assert.equal(meter.tick(wakeAtMs - 1), 'hold')
    assert.equal(meter.tick(wakeAtMs), 'serve')
    assert.equal(meter.freeBytes, MIB + CELL)
  })

  it('a cell more than was paid is all that it ever serves for nothing beyond the free bytes', () => {
    const step = fc.record({
      bytes: fc.integer({ min: 1, max: CELL }),
      pays: fc.integer({ min: 0, max: 3 }).map((x) => (x === 3 ? MIB : 0)),
      waitMs: fc.integer({ min: 0, max: 20 }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 400 }), (steps) => {
        const meter = entryMeter()
        let [nowMs, served, paid] = [0, 0, 0]
        for (const { bytes, pays, waitMs } of steps) {
          nowMs += waitMs
          if (meter.wakeAtMs <= nowMs) meter.tick(nowMs)
          if (pays > 0) meter.pay((paid += pays) && pays, nowMs)
          if (!meter.isServing) continue
          meter.count(bytes, nowMs)
          served += bytes
          const freeMost = MIB + (4 * KIB * nowMs) / 1000
          assert.ok(served <= paid + freeMost + CELL)
          assert.equal(meter.countedBytes, served)
        }
      }),
    )
  })
})

describe('free bytes', () => {
  it('of a prefix: 8 MiB for all its links, 32 KiB a second (SPEC §15.3)', () => {
    const prefixes = createFreePrefixes()
    const links = Array.from({ length: 10 }, () => prefixes.linkBucket('192.0.2', 0))
    const drawn = links.map((link) => link.draw(2 * MIB, 0))
    assert.deepEqual(drawn, [...Array.from({ length: 8 }, () => MIB), 0, 0])
    assert.equal(links[9]?.draw(MIB, 1000), 32 * KIB)
    assert.equal(prefixes.linkBucket('198.51.100', 0).draw(2 * MIB, 0), MIB)
  })

  it('are no more by hanging up: a new link draws from the same prefix', () => {
    const prefixes = createFreePrefixes()
    let drawn = 0
    for (let i = 0; i < 100; i++) drawn += prefixes.linkBucket('192.0.2', 0).draw(MIB, 0)
    assert.equal(drawn, 8 * MIB)
  })

  it('of prefixes beyond the table are none, until one of those in it is full again', () => {
    const prefixes = createFreePrefixes(2)
    prefixes.linkBucket('a', 0).draw(1, 0)
    prefixes.linkBucket('b', 0).draw(32 * KIB + 1, 0)
    const third = prefixes.linkBucket('c', 0)
    assert.equal(third.draw(1, 0), 0)
    assert.equal(third.readyAtMs(1, 0), Number.POSITIVE_INFINITY)
    assert.equal(third.draw(5, 1000), 5)
    assert.equal(prefixes.size, 2)
  })

  it('of a circuit are 256 KiB once (SPEC §15.4)', () => {
    const free = createCircuitFree(0)
    assert.equal(free.draw(MIB, 0), 256 * KIB)
    assert.equal(free.draw(1, 1e9), 0)
    assert.equal(free.readyAtMs(1, 0), Number.POSITIVE_INFINITY)
  })

  it('do not come from a clock that runs backwards', () => {
    const bucket = createFreeBucket({ capacityBytes: 1000, bytesPerS: 1000 }, 5000)
    assert.equal(bucket.draw(1000, 5000), 1000)
    assert.equal(bucket.draw(1000, 0), 0)
    assert.equal(bucket.draw(1000, 5000), 0)
    assert.equal(bucket.draw(1000, 5500), 500)
    assert.equal(bucket.readyAtMs(1000, 5500), 6500)
    assert.equal(bucket.readyAtMs(1001, 5500), Number.POSITIVE_INFINITY)
  })
})
