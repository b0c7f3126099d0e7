import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '../../src/wallet/amounts.ts'

test('reads back every amount that it writes', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 96n), fc.integer({ min: 0, max: 24 }), (amount, decimals) => {
      assert.equal(parseAmount(formatAmount(amount, decimals), decimals), amount)
    }),
  )
})

test('writes amounts as people do', () => {
  const written = [
    [1_234_500n, 6, '1.2345'],
    [1_000_000n, 6, '1'],
    [1n, 6, '0.000001'],
    [0n, 6, '0'],
    [5n, 0, '5'],
  ] as const
  for (const [amount, decimals, text] of written) {
    assert.equal(formatAmount(amount, decimals), text)
  }
})

test('refuses what is no amount of the token', () => {
  for (const text of ['', '-1', '1e3', '1,5', '0x10', '.5', '1.', ' 1', '1.1234567']) {
    assert.throws(() => parseAmount(text, 6), { code: 'WALLET_AMOUNT' })
  }
})
