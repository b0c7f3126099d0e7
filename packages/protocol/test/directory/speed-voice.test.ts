import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { agreedRatio, hearRatio, type SpeedVoice } from '@byway/protocol/directory'
import { HOUR_MS, NOW_MS, seeded } from './registry.ts'

function hear(
  voice: SpeedVoice | undefined,
  ratio: number,
  times: number,
  nowMs = NOW_MS,
): SpeedVoice | undefined {
  let current = voice
  for (let i = 0; i < times; i++) current = hearRatio(current, ratio, nowMs)
  return current
}

const DAY_MS = 24 * HOUR_MS

suite('what one guard shows of a node', () => {
  test('at most doubles in a day, however good the service (THREAT-MODEL T10)', () => {
    let voice: SpeedVoice | undefined
    for (let day = 0; day < 5; day++) {
      const before = voice?.ratio ?? 1
      for (let hour = 0; hour < 24; hour++) {
        voice = hear(voice, 1000, 50, NOW_MS + day * DAY_MS + hour * HOUR_MS)
        assert.ok((voice?.ratio ?? 0) <= 2 * before)
      }
    }
    assert.equal(voice?.ratio, 32)
    voice = hear(voice, 1000, 50, NOW_MS + 90 * DAY_MS)
    assert.equal(voice?.ratio, 64, 'idle days are not saved up')
  })

  test('falls below twice its true share within 50 circuits when a fast node slows down', () => {
    let voice: SpeedVoice | undefined
    for (let day = 0; day < 5; day++) voice = hear(voice, 100, 50, NOW_MS + day * DAY_MS)
    assert.ok((voice?.ratio ?? 0) > 30)
    voice = hear(voice, 0.1, 50, NOW_MS + 5 * DAY_MS)
    assert.ok((voice?.ratio ?? 1) < 0.2)
  })

  test('is the first transfer, then the mean of few, then mostly of the newest', () => {
    const ratios: number[] = []
    let voice: SpeedVoice | undefined
    for (const ratio of [0.2, 0.4, 0.6, 0.8, 0.1]) {
      voice = hearRatio(voice, ratio, NOW_MS)
      ratios.push(Number(voice.ratio.toFixed(6)))
    }
    assert.deepEqual(ratios, [0.2, 0.3, 0.4, 0.5, 0.4])
  })

  test('stays within a hundred times what others give, and comes back within a week', () => {
    let voice = hear(undefined, 0, 1)
    assert.ok(Math.abs((voice?.ratio ?? 0) - 0.01) < 1e-9)
    for (let day = 1; day <= 7; day++) voice = hear(voice, 1, 50, NOW_MS + day * DAY_MS)
    assert.ok((voice?.ratio ?? 0) > 0.99)
    for (let day = 8; day <= 20; day++) voice = hear(voice, 1e9, 50, NOW_MS + day * DAY_MS)
    assert.ok(Math.abs((voice?.ratio ?? 0) - 100) < 1e-6)
  })
})

suite('what guards agree on (ADR-0048)', () => {
  test('is nothing where one speaks alone', () => {
    for (const ratio of [0.01, 0.5, 1, 7]) assert.equal(agreedRatio([ratio]), 1)
    assert.equal(agreedRatio([]), 1)
  })

  test('is the smaller difference of two that agree, and none of two that do not', () => {
    assert.equal(agreedRatio([0.1, 0.5]), 0.5)
    assert.equal(agreedRatio([8, 3]), 3)
    assert.equal(agreedRatio([0.1, 3]), 1)
  })

  test('of three lies between the honest two, whatever the third says', () => {
    const seed = 48
    const random = seeded(seed)
    for (let run = 0; run < 1000; run++) {
      const [a, b, lie] = [random() * 4, random() * 4, 10 ** (6 * random() - 3)]
      const agreed = agreedRatio([lie, a, b])
      assert.ok(agreed >= Math.min(a, b) && agreed <= Math.max(a, b), `seed ${seed}, run ${run}`)
    }
  })
})
