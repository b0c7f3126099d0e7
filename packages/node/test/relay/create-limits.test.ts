import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCreateLimits } from '../../src/relay/create-limits.ts'
import type { CreateLimits } from '../../src/relay/create-limits.ts'

/** How many circuits are granted at one moment, with none open. */
function drain(limits: CreateLimits, nowMs: number): number {
  let granted = 0
  while (granted < 10_000 && limits.tryCreate(0, nowMs)) granted++
  return granted
}

for (const { role, burst, perSecond, open } of [
  { role: 'client', burst: 90, perSecond: 3, open: 128 },
  { role: 'node', burst: 2000, perSecond: 200, open: 20_000 },
] as const) {
  test(`lets a ${role} open ${burst} circuits at once, then ${perSecond} a second (THREAT-MODEL T15)`, () => {
    const limits = createCreateLimits(role, 1000)
    assert.equal(drain(limits, 1000), burst)
    assert.equal(drain(limits, 1000), 0)
    assert.equal(drain(limits, 2000), perSecond)
    assert.equal(drain(limits, 4000), 2 * perSecond)
  })

  test(`saves up no more than ${burst} for a quiet ${role}`, () => {
    const limits = createCreateLimits(role, 0)
    drain(limits, 0)
    assert.equal(drain(limits, 86_400_000), burst)
  })

  test(`refuses a ${role} that has ${open} circuits open, and takes nothing from its bucket`, () => {
    const limits = createCreateLimits(role, 0)
    for (let i = 0; i < burst + 1; i++) assert.equal(limits.tryCreate(open, 0), false)
    assert.equal(limits.tryCreate(open - 1, 0), true)
    assert.equal(drain(limits, 0), burst - 1)
  })
}

test('a clock that runs backwards gives nothing', () => {
  const limits = createCreateLimits('client', 10_000)
  drain(limits, 10_000)
  assert.equal(limits.tryCreate(0, 9000), false)
})
