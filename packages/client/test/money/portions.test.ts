/** What is paid for tokens of a hop that does not hold the slot (SPEC §16.3), before they come of age. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { TOKEN_KIND } from '@byway/protocol/wire'
import { HopAccount } from '../../src/money/hop-account.ts'
import { Portions } from '../../src/money/portions.ts'

const NODE = new Uint8Array(32).fill(1)
const DELAY_MS = 2000
const UNITS_OF_TOKEN = 4
const BATCH = { node: NODE, kind: TOKEN_KIND.BANDWIDTH, count: 32, units: 32 * UNITS_OF_TOKEN }

function worldOf(room: number, isShort: boolean) {
  const clock = { ms: 1_000_000 }
  const account = new HopAccount(DELAY_MS, clock.ms)
  const stock = {
    held: () => 0,
    isLocked: () => false,
    isShort: () => isShort,
    roomOf: () => room,
    repeatPurchase: () => undefined,
    priceOf: (_node: Uint8Array, _kind: unknown, count: number) => count * UNITS_OF_TOKEN,
  }
  const nowMs = (): number => clock.ms
  const portions = new Portions({ stock, account, issueDelayMs: DELAY_MS, nowMs, draw: () => 0 })
  return { clock, account, portions }
}

suite('portions', () => {
  test('who waits pays for all that may be paid at once: 64 tokens, less those of the delay', () => {
    const { portions } = worldOf(200, true)
    // 57: whole seconds of three.
    assert.equal(portions.unitsFor(BATCH), 57 * UNITS_OF_TOKEN)
  })

  test('no more than may be in stock', () => {
    const { portions } = worldOf(40, true)
    assert.equal(portions.unitsFor(BATCH), 40 * UNITS_OF_TOKEN)
  })

  test('who does not wait pays for what he orders', () => {
    const { portions } = worldOf(200, false)
    assert.equal(portions.unitsFor(BATCH), BATCH.units)
  })

  test('all of it is due when the delay is over, and then three a second', () => {
    const { portions, account, clock } = worldOf(200, true)
    account.onPaid(portions.unitsFor(BATCH), clock.ms)
    clock.ms += DELAY_MS
    account.onPaid(portions.unitsFor(BATCH) - account.units, clock.ms)
    assert.equal(account.dueTokens(clock.ms), 57)
    account.onSold(57 * UNITS_OF_TOKEN)
    account.onSoldUnheld(57, clock.ms)
    clock.ms += DELAY_MS
    assert.equal(account.dueTokens(clock.ms), 6)
  })

  test('asks before it is due every two seconds, in case the hop holds the slot by now', () => {
    const { portions, account, clock } = worldOf(200, true)
    account.onPaid(portions.unitsFor(BATCH), clock.ms)
    const early = (): boolean => portions.next(BATCH).waitMs === 0
    assert.ok(early())
    portions.onRefusedEarly()
    clock.ms += 1900
    assert.ok(!early())
    clock.ms += 100
    assert.ok(early())
  })
})
