import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  coverage,
  expectedAt,
  figuresFor,
  fullSlotGas,
  month,
  readFigures,
} from '../tools/gas-month.ts'

const rows = readFigures()
const shared = figuresFor(rows, true)

test('a win costs what the issue allows, with locks shared by sixteen (ADR 0023)', () => {
  assert.ok(month(shared, 1, rows).winGas <= 115_000)
  assert.ok(fullSlotGas(shared, 8) <= 36_000)
})

test('a month costs what ADR 0023 says', () => {
  const total = (keptHops: number) => {
    const { spent, locked, ownGas } = month(shared, keptHops, rows)
    return spent + locked + ownGas
  }
  assert.ok(Math.abs(total(1) - 5.17) < 0.05, total(1).toFixed(3))
  assert.ok(Math.abs(total(2) - 8.1) < 0.05, total(2).toFixed(3))
  const relayed = (keptHops: number) => {
    const { spent, locked, relayed: fees, joinFees } = month(shared, keptHops, rows)
    return [spent + locked + fees, spent + locked + fees + joinFees]
  }
  const wanted = [
    [5.32, 5.51],
    [8.35, 8.69],
  ]
  for (const [i, sums] of wanted.entries())
    for (const [k, sum] of sums.entries()) {
      const have = relayed(i + 1)[k] ?? 0
      assert.ok(Math.abs(have - sum) < 0.05, have.toFixed(3))
    }
})

test('the fee of each request covers its gas at the start values, and a joining only at two units (SPEC §14.6)', () => {
  const times = coverage(rows)
  for (const [what, covered] of Object.entries(times))
    assert.ok(covered > 1.2, `${what} ${covered}`)
  assert.ok((times['join'] ?? 0) / 2 < 1)
})

test('expected binds and later wins add up, and are those of a small case', () => {
  const { bound, later } = expectedAt(0.5)
  assert.ok(Math.abs(bound + later - 0.5) < 1e-9)
  // One win or two: one slot. Three or four: two.
  const p = Math.exp(-0.5)
  const few = p * (0.5 + 0.125 + (2 * 0.125) / 6 + (2 * 0.0625) / 24)
  assert.ok(bound - few < 1e-3 && bound >= few)
})
