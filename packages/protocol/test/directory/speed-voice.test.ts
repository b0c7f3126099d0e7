import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  agreedRatio,
  hearLateness,
  hearRatio,
  isLatency,
  latenessOf,
  type SpeedVoice,
} from '@byway/protocol/directory'
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

  test('has a new day when a clock that was a year ahead is right again', () => {
    const ahead = hear(undefined, 1000, 50, NOW_MS + 365 * DAY_MS)
    const back = hear(ahead, 1000, 50, NOW_MS)
    assert.equal(back?.ratio, 4)
    assert.equal(hear(back, 1000, 50, NOW_MS - HOUR_MS)?.ratio, 4, 'an hour back is the same day')
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

suite('what round trips make of a weight (ADR-0052)', () => {
  const late = (...times: readonly number[]): readonly number[] => {
    let voice: SpeedVoice | undefined
    return times.map((laterMs) => {
      voice = hearLateness(voice, laterMs, NOW_MS)
      return Number(voice.latency.toFixed(4))
    })
  }

  test('is half for 100 ms more, double for 100 ms less, and no more than that', () => {
    const cases = [
      [0, 1],
      [50, Number(Math.SQRT1_2.toFixed(4))],
      [100, 0.5],
      [9000, 0.5],
      [-100, 2],
      [-9000, 2],
    ] as const
    for (const [laterMs, factor] of cases) {
      assert.deepEqual(late(laterMs), [factor])
      assert.ok(isLatency(factor))
    }
    for (const wrong of [0, 0.4999, 2.0001, Number.NaN]) assert.equal(isLatency(wrong), false)
  })

  test('is the first one, then the mean of few, then mostly of the newest', () => {
    assert.deepEqual(late(100, 0, 0, 0, -100), [0.5, 0.75, 0.8333, 0.875, 1.1563])
  })

  test('is told in milliseconds as it was measured', () => {
    for (const laterMs of [-100, -40, 0, 60, 100]) {
      const { latency } = hearLateness(undefined, laterMs, NOW_MS)
      assert.ok(Math.abs(latenessOf(latency) - laterMs) < 1e-9)
    }
  })

  test('does not touch what goodput says, nor goodput it', () => {
    const fast = hearRatio(undefined, 0.5, NOW_MS)
    const both = hearLateness(fast, 100, NOW_MS)
    assert.deepEqual([both.ratio, both.samples, both.latency, both.answers], [0.5, 1, 0.5, 1])
    const again = hearRatio(both, 0.5, NOW_MS)
    assert.deepEqual([again.ratio, again.samples, again.latency, again.answers], [0.5, 2, 0.5, 1])
  })

  test('at most doubles in a day together with goodput (THREAT-MODEL T10)', () => {
    const seed = 52
    const random = seeded(seed)
    let voice: SpeedVoice | undefined
    let most = 0
    for (let day = 0; day < 40; day++) {
      const before = voice ? Math.max(0.05, voice.ratio * voice.latency) : 1
      for (let hour = 0; hour < 24; hour++) {
        const atMs = NOW_MS + day * DAY_MS + hour * HOUR_MS
        const isBad = random() < 0.3
        voice =
          random() < 0.5
            ? hearRatio(voice, isBad ? 0.1 : 1000, atMs)
            : hearLateness(voice, isBad ? 300 : -300, atMs)
        const grown = (voice.ratio * voice.latency) / before
        assert.ok(grown <= 2 + 1e-9, `${grown} on day ${day}, seed ${seed}`)
        most = Math.max(most, grown)
      }
    }
    assert.ok(most > 1.9, 'the bound is reached')
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
