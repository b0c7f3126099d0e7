/** The bench of dead exits plays what it says, and counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { playDeadExits } from '../sections/dead-exits.ts'

test('an hour with dead exits costs some failed builds, and few of three hundred and sixty circuits', async () => {
  const { failed, circuits, lowered } = await playDeadExits(1, 1)
  assert.equal(circuits, 360)
  const [first = 0] = failed
  assert.ok(first >= 10 && first < 100, `${first}`)
  assert.ok(lowered > 0)
})
