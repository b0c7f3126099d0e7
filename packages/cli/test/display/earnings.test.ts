import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeAmount, earningsOf } from '../../src/display/earnings.ts'
import { TEST_PAYMENT as PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'

test('units are worth their price, wins their face value, whatever luck says (SPEC §13.1)', () => {
  const status = { money: { unitsPaid: 1024, wins: 3 }, priceStep: 4, openWins: 1 }
  assert.deepEqual(earningsOf(status, PAYMENT), {
    units: 1024,
    wins: 3,
    openWins: 1,
    expected: 1024n * 4000n,
    won: 3n * 4_096_000n,
  })
})

test('a node that is not paid has no earnings', () => {
  assert.equal(earningsOf({ event: 'status' }, PAYMENT), undefined)
})

for (const [amount, decimals, text] of [
  [0n, 18, '0.0000 TEST'],
  [97_656_250_000_000n, 18, '0.0000 TEST'],
  [1_562_500_000_000_000n, 18, '0.0015 TEST'],
  [12_345_678n, 6, '12.3456 TEST'],
  [1999n, 2, '19.99 TEST'],
  [7n, 0, '7 TEST'],
] as const) {
  test(`writes ${amount} of ${decimals} decimals as ${text}, never more than there is`, () => {
    assert.equal(describeAmount(amount, { tokenDecimals: decimals, tokenSymbol: 'TEST' }), text)
  })
}
