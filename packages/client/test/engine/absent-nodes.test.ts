import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nodeKeyOf } from '@byway/protocol/directory'
import { createAbsentNodes } from '../../src/engine/absent-nodes.ts'

const keyOf = (number: number) => {
  const id = new Uint8Array(32)
  new DataView(id.buffer).setUint32(0, number)
  return nodeKeyOf(id)
}
const KEY = keyOf(1)

function world() {
  const clock = { nowMs: 1000 }
  return { clock, absent: createAbsentNodes(() => clock.nowMs) }
}

suite('nodes that were not reached', () => {
  test('rest for half a minute, and twice as long each time that they are still away, ten minutes at most', () => {
    const { clock, absent } = world()
    assert.equal(absent.isAbsent(KEY), false)
    for (const restS of [30, 60, 120, 240, 480, 600, 600]) {
      absent.note(KEY, false)
      clock.nowMs += restS * 1000 - 1
      assert.equal(absent.isAbsent(KEY), true, `${restS}`)
      clock.nowMs += 1
      assert.equal(absent.isAbsent(KEY), false, `${restS}`)
    }
  })

  test('rest no longer for circuits that failed together', () => {
    const { clock, absent } = world()
    for (let i = 0; i < 5; i++) absent.note(KEY, false)
    clock.nowMs += 30_000
    assert.equal(absent.isAbsent(KEY), false)
  })

  test('are as any other once they were reached, and begin anew', () => {
    const { clock, absent } = world()
    absent.note(KEY, false)
    clock.nowMs += 30_000
    absent.note(KEY, false)
    absent.note(KEY, true)
    assert.equal(absent.isAbsent(KEY), false)
    absent.note(KEY, false)
    clock.nowMs += 30_000
    assert.equal(absent.isAbsent(KEY), false)
  })

  test('are forgotten, the oldest first, when there are too many', () => {
    const { absent } = world()
    for (let number = 0; number <= 4096; number++) absent.note(keyOf(number), false)
    assert.deepEqual(
      [0, 1, 4096].map((number) => absent.isAbsent(keyOf(number))),
      [false, true, true],
    )
  })
})
