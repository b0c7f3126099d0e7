import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { classPricesOf, takesTunnel } from '../../src/exit/class-prices.ts'

suite('what an exit asks for its classes (SPEC §10.1)', () => {
  test('is the price of its other service, and it takes browsing alone, unless the operator says otherwise', () => {
    assert.deepEqual(classPricesOf({}, 4), { browse: 4, collect: undefined })
    const classes = ['browse', 'collect'] as const
    assert.deepEqual(classPricesOf({ classes }, 4), { browse: 4, collect: 4 })
    assert.deepEqual(classPricesOf({ classes, classPrices: { collect: 8 } }, 4), {
      browse: 4,
      collect: 8,
    })
    assert.deepEqual(classPricesOf({ classes: ['collect'] }, 2), { browse: undefined, collect: 2 })
  })

  test('is nothing where nothing is paid, whatever the operator would ask', () => {
    const both = { classes: ['browse', 'collect'], classPrices: { collect: 8 } } as const
    assert.deepEqual(classPricesOf(both, undefined), { browse: 0, collect: 0 })
  })

  for (const [name, options, priceStep] of [
    ['no class', { classes: [] }, 4],
    ['a class below the node’s price', { classPrices: { browse: 3 } }, 4],
    ['a price at a node that is free', { classPrices: { browse: 1 } }, 0],
    ['a ninth step', { classPrices: { browse: 9 } }, 4],
  ] as const) {
    test(`is refused for ${name}`, () => {
      assert.throws(() => classPricesOf(options, priceStep), { code: 'NODE_EXIT_CLASS' })
    })
  }

  test('lets a tunnel in only for a class that is taken, at the prices that hold', () => {
    const prices = { browse: 4, collect: undefined }
    const terms = { trafficClass: 'browse', classStep: 4, priceStep: 4 } as const
    assert.equal(takesTunnel(prices, 4, terms), true)
    assert.equal(takesTunnel(prices, 4, { ...terms, trafficClass: 'collect' }), false)
    assert.equal(takesTunnel(prices, 4, { ...terms, classStep: 5 }), false)
    assert.equal(takesTunnel(prices, 3, terms), false)
  })
})
