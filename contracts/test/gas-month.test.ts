import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectedAt, figuresFor, fullSlotGas, month, readFigures } from '../tools/gas-month.ts'

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
  const fine = (keptHops: number) => {
    const { spent, locked, finelyRelayed } = month(shared, keptHops, rows)
    return spent + locked + finelyRelayed
  }
  assert.ok(Math.abs(fine(1) - 5.32) < 0.05, fine(1).toFixed(3))
  assert.ok(Math.abs(fine(2) - 8.35) < 0.05, fine(2).toFixed(3))
})

test('expected binds and later wins add up, and are those of a small case', () => {
  const { bound, later } = expectedAt(0.5)
  assert.ok(Math.abs(bound + later - 0.5) < 1e-9)
  // One win or two: one slot. Three or four: two.
  const p = Math.exp(-0.5)
  const few = p * (0.5 + 0.125 + (2 * 0.125) / 6 + (2 * 0.0625) / 24)
  assert.ok(bound - few < 1e-3 && bound >= few)
})
