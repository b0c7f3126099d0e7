/** What bytes of a dearer class count, and that a hop and its client count alike whatever passes in between. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  classWeight,
  createAllowance,
  createCircuitFree,
  createMeter,
  SAME_PRICE,
  unweighedBytes,
  weighedBytes,
} from '@byway/protocol/payment'
import { TOKEN_UNITS, UNIT_BYTES } from '@byway/protocol/ticket'
import { PRICE_STEPS } from '@byway/protocol/wire'

const RATE = { perMs: 4 * UNIT_BYTES, presentPerMs: 4 * UNIT_BYTES }
const TOKEN_BYTES = TOKEN_UNITS * UNIT_BYTES

const KIB = 1024
const CELL_BYTES = [1024, 4096, 16_384] as const

/** A price step above 0 and one of a class that it allows. */
const prices = fc.integer({ min: 1, max: 8 }).chain((priceStep) =>
  fc.record({
    priceStep: fc.constant(priceStep),
    classStep: fc.integer({ min: priceStep, max: 8 }),
  }),
)
const cells = fc.array(fc.constantFrom(...CELL_BYTES), { maxLength: 200 })

describe('the weight of a class (SPEC §15.4)', () => {
  it('is the ratio of the two prices, rounded up', () => {
    // Steps 4 and 8 are 4 and 16 parts, 5 is 6.
    assert.equal(weighedBytes(1024, classWeight({ classStep: 8, priceStep: 4 })), 4096)
    assert.equal(weighedBytes(3, classWeight({ classStep: 5, priceStep: 4 })), 5)
    assert.equal(weighedBytes(0, classWeight({ classStep: 8, priceStep: 1 })), 0)
  })

  it('is one where prices are the same, and where nothing costs anything', () => {
    for (const [step] of PRICE_STEPS.entries())
      assert.equal(classWeight({ classStep: step, priceStep: step }), SAME_PRICE)
    assert.equal(weighedBytes(7, SAME_PRICE), 7)
  })

  it('is refused for prices that no descriptor may have', () => {
    for (const wrong of [
      { classStep: 3, priceStep: 4 },
      { classStep: 1, priceStep: 0 },
      { classStep: 9, priceStep: 4 },
    ])
      assert.throws(() => classWeight(wrong), { code: 'ASSERTION' })
  })

  it('charges what the class costs, to less than a byte', () => {
    fc.assert(
      fc.property(prices, fc.integer({ min: 0, max: 2 ** 48 }), (pair, bytes) => {
        const counted = BigInt(weighedBytes(bytes, classWeight(pair)))
        const dear = BigInt(bytes) * BigInt(PRICE_STEPS[pair.classStep] ?? 0)
        const base = BigInt(PRICE_STEPS[pair.priceStep] ?? 0)
        assert.equal(counted, (dear + base - 1n) / base)
      }),
      { numRuns: 10_000 },
    )
  })

  it('gives back at least the bytes that were counted', () => {
    fc.assert(
      fc.property(prices, fc.integer({ min: 0, max: 2 ** 48 }), (pair, bytes) => {
        const weight = classWeight(pair)
        const back = unweighedBytes(weighedBytes(bytes, weight), weight)
        assert.ok(back >= bytes && back - bytes <= 1)
      }),
    )
  })
})

describe('an exit and its client', () => {
  it('count alike to the byte, whatever cells pass and whichever are sent again', () => {
    fc.assert(
      fc.property(prices, cells, fc.nat(100_000), (pair, passed, lost) => {
        const weight = classWeight(pair)
        const meter = createMeter(createCircuitFree(0, weight), weight)
        const allowance = createAllowance([TOKEN_BYTES], weight)
        for (const bytes of passed) {
          meter.count(bytes, 0)
          allowance.count(bytes)
        }
        const sum = passed.reduce((all, bytes) => all + bytes, 0)
        assert.equal(meter.countedBytes, allowance.countedBytes)
        assert.equal(allowance.carriedBytes, sum)
        meter.count(lost, 0)
        meter.refund(lost, 0)
        assert.equal(meter.countedBytes, weighedBytes(sum, weight))
      }),
    )
  })

  it('begin with as many bytes of cells for nothing, whatever the class', () => {
    for (const classStep of [4, 6, 8]) {
      const weight = classWeight({ classStep, priceStep: 4 })
      const meter = createMeter(createCircuitFree(0, weight), weight)
      assert.equal(meter.count(256 * KIB, 0), true)
      assert.equal(meter.count(1, 0), false)
      assert.equal(meter.overrunBytes, 1)
      assert.equal(meter.debtBytes, PRICE_STEPS[classStep]! / PRICE_STEPS[4])
    }
  })

  it('use a token up the sooner the dearer the class is', () => {
    const weight = classWeight({ classStep: 8, priceStep: 4 })
    const allowance = createAllowance([TOKEN_BYTES], weight)
    allowance.paid(TOKEN_BYTES)
    assert.equal(allowance.count((TOKEN_BYTES * 3) / 16), false)
    assert.equal(allowance.dueBytes(), 0)
    assert.equal(allowance.count(1), true)
    assert.equal(allowance.dueBytes(), TOKEN_BYTES)
  })

  it('pay a dear class so far ahead as its bytes flow', () => {
    const weight = classWeight({ classStep: 8, priceStep: 4 })
    const [dear, cheap] = [createAllowance([TOKEN_BYTES], weight), createAllowance([TOKEN_BYTES])]
    for (const allowance of [dear, cheap]) {
      allowance.count(1000 * TOKEN_BYTES)
      allowance.setRate(RATE, 8)
    }
    assert.equal(dear.limitBytes - TOKEN_BYTES, 4 * (cheap.limitBytes - TOKEN_BYTES))
  })
})
