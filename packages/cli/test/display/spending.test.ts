/** What the client's spending looks like to scripts and to people. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MoneyStatus } from '@byway/client'
import type { NodeKey } from '@byway/protocol/directory'
import { describeNotice, describeSpending, spendingFields } from '../../src/display/spending.ts'

const TOKEN = { tokenDecimals: 6, tokenSymbol: 'tBYW' }
const MONEY: MoneyStatus = {
  session: 123_400n,
  month: 2_500_000n,
  budget: 5_000_000n,
  perGib: 102_400n,
  hops: [{ hop: 'abc' as NodeKey, tickets: 3, units: 40, amount: 4000n, bytes: 41_943_040 }],
  slots: { total: 40, unshown: 35, ready: 4, inUse: 5, unknown: 0, over: 0 },
  returns: { waiting: 0, asked: 0 },
  unshownValue: 8_750_000n,
  isBudgetLeft: true,
  canBegin: true,
  isProvided: true,
}

test('names sums in whole tokens for scripts', () => {
  const fields = spendingFields(MONEY, TOKEN)
  assert.equal(fields['session'], '0.1234')
  assert.equal(fields['month'], '2.5')
  assert.equal(fields['budget'], '5')
  assert.equal(fields['perGib'], '0.1024')
  assert.equal(fields['left'], '8.75')
  assert.deepEqual(fields['hops'], [{ node: 'abc', cost: '0.004', units: 40, bytes: 41_943_040 }])
})

test('says what lies in deposits smaller than a slot, and when they are joined', () => {
  const nextAtMs = Date.UTC(2026, 10, 21, 12)
  const [waiting, joining] = [
    { rests: 1, value: 240_000n },
    { rests: 4, value: 960_000n },
  ]
  assert.equal(spendingFields(MONEY, TOKEN)['small'], null)
  const fields = spendingFields({ ...MONEY, small: { waiting, joining, nextAtMs } }, TOKEN)
  assert.deepEqual(fields['small'], {
    waiting: { rests: 1, value: '0.24' },
    joining: { rests: 4, value: '0.96' },
    nextAt: '2026-11-21T12:00:00.000Z',
  })
})

test('says null where there is no budget and nothing was carried', () => {
  const fields = spendingFields({ ...MONEY, budget: undefined, perGib: undefined }, TOKEN)
  assert.deepEqual([fields['budget'], fields['perGib']], [null, null])
})

test('tells people what is spent and what is left', () => {
  const text = describeSpending(MONEY, TOKEN)
  assert.equal(
    text,
    '0.1234 tBYW in this session, 2.5000 tBYW this month of 5.0000 tBYW, 0.1024 tBYW a GiB, 8.7500 tBYW left in 35 slots',
  )
})

test('tells people of a low deposit, a spent budget and a cheat, each with what to do', () => {
  assert.match(describeNotice({ type: 'depositLow', unshown: 2 }) ?? '', /2 slots.*wallet deposit/)
  assert.match(describeNotice({ type: 'budgetSpent' }) ?? '', /--budget/)
  assert.match(describeNotice({ type: 'cheated', hop: 'abc' as NodeKey }) ?? '', /left alone/)
  assert.equal(describeNotice({ type: 'unpayable', code: 'X' }), undefined)
  const delayed = describeNotice({ type: 'returnsDelayed', code: 'CHAIN_UNREACHABLE' }) ?? ''
  assert.match(delayed, /CHAIN_UNREACHABLE.*tried again/)
})

test('tells people how far the first proofs are', () => {
  assert.match(describeNotice({ type: 'proving', proved: 1, wanted: 3 }) ?? '', /1 of the first 3/)
  assert.match(describeNotice({ type: 'proving', proved: 3, wanted: 3 }) ?? '', /are proved/)
})
