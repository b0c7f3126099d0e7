import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nodeKeyOf, type NodeKey } from '@byway/protocol/directory'
import { createAbsentNodes } from '../../src/engine/absent-nodes.ts'

const keyOf = (number: number) => {
  const id = new Uint8Array(32)
  new DataView(id.buffer).setUint32(0, number)
  return nodeKeyOf(id)
}
const KEY = keyOf(1)
/** 200 and 201 are of one party. */
const PARTY = new Set([keyOf(200), keyOf(201)])

function world() {
  const clock = { nowMs: 1000 }
  const areApart = (a: NodeKey, b: NodeKey): boolean => a !== b && !(PARTY.has(a) && PARTY.has(b))
  return { clock, absent: createAbsentNodes({ nowMs: () => clock.nowMs, areApart }) }
}

suite('nodes that were not reached', () => {
  test('rest for half a minute, and twice as long each time that they are still away, ten minutes at most', () => {
    const { clock, absent } = world()
    assert.equal(absent.isAbsent(KEY), false)
    for (const restS of [30, 60, 120, 240, 480, 600, 600]) {
      absent.missed(KEY, 'self')
      clock.nowMs += restS * 1000 - 1
      assert.equal(absent.isAbsent(KEY), true, `${restS}`)
      clock.nowMs += 1
      assert.equal(absent.isAbsent(KEY), false, `${restS}`)
    }
  })

  test('rest no longer for circuits that failed together', () => {
    const { clock, absent } = world()
    for (let i = 0; i < 5; i++) absent.missed(KEY, 'self')
    clock.nowMs += 30_000
    assert.equal(absent.isAbsent(KEY), false)
  })

  test('are as any other once they were reached, and begin anew', () => {
    const { clock, absent } = world()
    absent.missed(KEY, 'self')
    clock.nowMs += 30_000
    absent.missed(KEY, 'self')
    absent.reached(KEY, keyOf(100))
    assert.equal(absent.isAbsent(KEY), false)
    absent.missed(KEY, 'self')
    clock.nowMs += 30_000
    assert.equal(absent.isAbsent(KEY), false)
  })

  test('are forgotten, the oldest first, when there are too many', () => {
    const { absent } = world()
    for (let number = 0; number <= 4096; number++) absent.missed(keyOf(number), 'self')
    assert.deepEqual(
      [0, 1, 4096].map((number) => absent.isAbsent(keyOf(number))),
      [false, true, true],
    )
  })

  test('are gone for all where two hops that have nothing in common say so, through two such guards', () => {
    const cases = [
      [[[100]], false],
      [[[100], [101]], true],
      [[[100], [100]], false],
      [[[200], [201]], false],
      [
        [
          [100, 100],
          [101, 100],
        ],
        false,
      ],
      [
        [
          [100, 100],
          [101, 101],
        ],
        true,
      ],
      [
        [
          [100, 200],
          [101, 201],
        ],
        false,
      ],
    ] as const
    for (const [words, isGone] of cases) {
      const { absent } = world()
      for (const [by, guard] of words) {
        absent.missed(KEY, keyOf(by), guard === undefined ? undefined : keyOf(guard))
      }
      assert.equal(absent.isAbsent(KEY), isGone, JSON.stringify(words))
      assert.equal(absent.isAbsentFor(KEY, keyOf(words[0][0])), true)
      assert.equal(absent.isAbsentFor(KEY, keyOf(150)), false)
    }
  })

  test('are gone by their own word', () => {
    const { absent } = world()
    absent.missed(KEY, KEY)
    assert.equal(absent.isAbsent(KEY), true)
  })

  test('that were reached over another hop stay away from paths through who says that they are gone', () => {
    const { absent } = world()
    absent.missed(KEY, keyOf(100))
    absent.reached(KEY, keyOf(101))
    assert.equal(absent.isAbsentFor(KEY, keyOf(100)), true)
    absent.missed(KEY, keyOf(102))
    assert.equal(absent.isAbsent(KEY), false, 'what was refuted is no second word')
    absent.reached(KEY, keyOf(100))
    assert.equal(absent.isAbsentFor(KEY, keyOf(100)), false)
  })
})
