import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CASES, formula, simulate, type MultiUse } from './multi-use.ts'

const SLOTS = 800
/** A thousand hops serve much for one slot: fewer of those tell the mean as well. */
const slotsOf = ({ hops }: MultiUse): number => Math.min(SLOTS, 60_000 / hops)
/** Once in a million runs, and the seed is fixed. */
const ERRORS = 5

for (const use of CASES) {
  const name = `${use.hops} hops at ${use.bytesPerS / 1e6} MB/s, ${use.latencyS} s`
  test(`a slot used at ${name} gains at most C·δ: what other hops serve until they see the win`, () => {
    const { gainBytes, errorBytes, unpaidBytes } = simulate(use, slotsOf(use), 2026)
    const others = (formula(use) * (use.hops - 1)) / use.hops
    assert.ok(gainBytes < formula(use) + ERRORS * errorBytes, `${gainBytes} ± ${errorBytes}`)
    assert.ok(Math.abs(gainBytes - others) < ERRORS * errorBytes, `${gainBytes}, not ${others}`)
    // A hop's last unit may be half done.
    assert.ok(Math.abs(unpaidBytes - others) < use.hops * 2 ** 20)
  })
}

test('at one hop there is nothing to gain', () => {
  const use: MultiUse = {
    hops: 1,
    bytesPerS: 125e6,
    latencyS: 2,
    winChance: 1 / 50,
    winsPerSlot: 2,
  }
  const { gainBytes, errorBytes, unpaidBytes } = simulate(use, SLOTS, 7)
  assert.equal(unpaidBytes, 0)
  assert.ok(Math.abs(gainBytes) < ERRORS * errorBytes)
})
