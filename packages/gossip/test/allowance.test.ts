import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAllowance } from '../src/allowance.ts'

const HALF_MS = 600_000

function flooded(): ReturnType<typeof createAllowance> {
  const allowance = createAllowance()
  const taken = Array.from({ length: 2400 }, () => allowance.take('a', 0)).filter(Boolean)
  assert.equal(taken.length, 2000)
  return allowance
}

test('what was too much counts half after ten minutes, and the bucket fills', () => {
  const allowance = flooded()
  assert.equal(allowance.excess('a', 0), 400)
  assert.equal(allowance.excess('a', HALF_MS), 200)
  assert.ok(allowance.excess('a', 10 * HALF_MS) < 1)
  assert.equal(allowance.take('a', 99), false)
  assert.equal(allowance.take('a', 200), true)
  assert.equal(allowance.excess('b', 0), 0)
})

test('who goes and comes again is not cleared by it, until it counts for nothing', () => {
  const allowance = flooded()
  allowance.forget('a', 0)
  assert.equal(allowance.excess('a', 0), 400)
  assert.equal(allowance.take('a', 0), false)
  allowance.forget('a', 10 * HALF_MS)
  assert.equal(allowance.excess('a', 10 * HALF_MS), 0)
})
