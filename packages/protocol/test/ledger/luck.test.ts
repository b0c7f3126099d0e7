/** Expected beside realised: the ranges hold as often as they say, by simulated lotteries with seeds. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { judgeLuck, squareRoot, type Luck } from '@byway/protocol/ledger'
import { seededRandom } from '../circuit/seeded.ts'

const V = 1_000_000n

/** Plays one period: `tickets` tickets with a chance of 1 in `odds` each. */
function period(random: () => number, tickets: number, odds: number): Luck {
  const amount = V / BigInt(odds)
  let wins = 0n
  for (let i = 0; i < tickets; i++) if (random() < 1 / odds) wins++
  return judgeLuck({
    expected: amount * BigInt(tickets),
    variance: amount * (V - amount) * BigInt(tickets),
    realised: wins * V,
    winAmount: V,
  })
}

suite('luck', () => {
  for (const [tickets, odds] of [
    [100, 100],
    [500, 100],
    [2_000, 100],
    [10_000, 100],
    [300, 2],
  ] as const) {
    test(`of ${tickets} tickets at 1 in ${odds}, at least 94 of 100 periods are usual and none is strange`, () => {
      const random = seededRandom(tickets + odds)
      const rounds = 1000
      const judged = Array.from({ length: rounds }, () => period(random, tickets, odds))
      const usual = judged.filter(({ judgement }) => judgement === 'usual').length
      // 95 % or a little more, as numbers of wins are whole; three sigma of 1000 tries are 2 %.
      assert.ok(usual >= 930, `${usual} of ${rounds}`)
      assert.ok(judged.every(({ judgement }) => judgement !== 'strange'))
      const withinOne = judged.filter(({ sigmas = 0 }) => Math.abs(sigmas) <= 1).length
      if (tickets / odds >= 30)
        assert.ok(Math.abs(withinOne / rounds - 0.683) < 0.06, `${withinOne}`)
    })
  }

  test('the mean of many periods is the expectation', () => {
    const random = seededRandom(4)
    let sum = 0
    for (let i = 0; i < 400; i++) sum += period(random, 1000, 100).sigmas ?? 0
    // The mean of 400 standard scores has a deviation of 1/20.
    assert.ok(Math.abs(sum / 400) < 3 / 20, `${sum / 400}`)
  })

  test('a hop that wins nothing in spite of 30 expected wins is strange, one of three is not', () => {
    const judge = (expectedWins: bigint, wins: bigint): Luck['judgement'] =>
      judgeLuck({
        expected: expectedWins * V,
        variance: expectedWins * V * (V - V / 100n),
        realised: wins * V,
        winAmount: V,
      }).judgement
    assert.equal(judge(30n, 0n), 'strange')
    assert.equal(judge(3n, 0n), 'usual')
    assert.equal(judge(10n, 1n), 'low')
    assert.equal(judge(10n, 18n), 'high')
    assert.equal(judge(10n, 40n), 'strange')
    assert.equal(judge(400n, 360n), 'low')
    assert.equal(judge(400n, 441n), 'high')
    assert.equal(judge(400n, 420n), 'usual')
    assert.equal(judge(0n, 0n), 'none')
  })

  test('with few wins the range is that of whole wins and does not go below nothing', () => {
    const luck = judgeLuck({ expected: 3n * V, variance: 3n * V * V, realised: 0n, winAmount: V })
    assert.deepEqual([luck.usualFrom, luck.usualTo], [0n, 7n * V])
    assert.equal(luck.expectedWins, 3)
  })

  test('the square root of a large number is exact', () => {
    for (const root of [0n, 1n, 2n, 3n, 10n ** 20n, (1n << 96n) - 1n]) {
      assert.equal(squareRoot(root * root), root)
      assert.equal(squareRoot(root * root + 2n * root), root)
      if (root > 0n) assert.equal(squareRoot(root * root - 1n), root - 1n)
    }
  })
})
