import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  coverage,
  expectedAt,
  figuresFor,
  fullSlotGas,
  month,
  PLAYED_MONTHS,
  readFigures,
  restCoverage,
} from '../tools/gas-month.ts'

const rows = readFigures()
const shared = figuresFor(rows, true)

test('a win costs what the issue allows, with each lock alone or shared by sixteen (ADR 0023)', () => {
  for (const isShared of [false, true])
    assert.ok(month(figuresFor(rows, isShared), 1, rows).winGas <= 115_000)
  assert.ok(fullSlotGas(shared, 8) <= 36_000)
})

test('a month costs what ADR 0023 says', () => {
  const wanted = [
    [4.84, 4.98, 5.36, 5.72],
    [7.59, 7.84, 8.47, 8.83],
  ]
  for (const [i, sums] of wanted.entries()) {
    const { spent, locked, ownGas, relayed, joinFees, unjoined } = month(shared, i + 1, rows)
    const bare = spent + locked
    const have = [
      bare + ownGas,
      bare + relayed,
      bare + relayed + joinFees,
      bare + relayed + joinFees + unjoined,
    ]
    for (const [k, sum] of sums.entries())
      assert.ok(
        Math.abs((have[k] ?? 0) - sum) < 0.02,
        have.map((each) => each.toFixed(3)).join(' '),
      )
  }
})

test('of what comes back nearly all is slots again, and no unit is lost', () => {
  for (const keptHops of [1, 2]) {
    const { joinings } = month(shared, keptHops, rows)
    const { cameBack, inSlots, fees, left } = joinings
    const rest = left / PLAYED_MONTHS
    assert.ok(Math.abs(cameBack - inSlots - fees - rest) < 1e-6)
    assert.ok(left < 4 * 25, 'what waits does not grow from month to month')
    assert.ok(inSlots > 0.9 * cameBack)
  }
})

test('the fee of each request covers its gas at the start values, and a joining only at two units (SPEC §14.6)', () => {
  const times = coverage(rows)
  for (const [what, covered] of Object.entries(times))
    assert.ok(covered > 1.2, `${what} ${covered}`)
  assert.ok((times['join'] ?? 0) / 2 < 1)
})

test('a unit does not cover the gas of a last rest, hardly in fours, and what who stops would get at two is a fifth of a dollar (ADR 0023)', () => {
  const { alone, inFours } = restCoverage(rows)
  assert.ok(alone < 0.9 && inFours < 1.1, `${alone} ${inFours}`)
  for (const keptHops of [1, 2]) {
    const { waiting, paidOut, rests } = month(shared, keptHops, rows).joinings
    assert.ok(rests > 2 && rests < 8, `${rests} rests`)
    assert.ok(waiting < 36, `${waiting} units`)
    assert.ok(paidOut > 14 && paidOut < 21, `${paidOut} units`)
  }
})

test('expected binds and later wins add up, and are those of a small case', () => {
  const { bound, later } = expectedAt(0.5)
  assert.ok(Math.abs(bound + later - 0.5) < 1e-9)
  // One win or two: one slot. Three or four: two.
  const p = Math.exp(-0.5)
  const few = p * (0.5 + 0.125 + (2 * 0.125) / 6 + (2 * 0.0625) / 24)
  assert.ok(bound - few < 1e-3 && bound >= few)
})
