/**
 * What the twelve samples of the service audit are worth (SPEC §17.3, DESIGN §7.3): how often an inflated total passes, played out beside the formula. The seed is printed, so that a bad
 * one can be played again with BYWAY_SEED. `SLOW=1` plays often enough for the figures themselves.
 */
import assert from 'node:assert/strict'
import { createHash, randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { sampledUnits } from '@byway/zk'

const SEED = process.env['BYWAY_SEED'] ?? randomInt(2 ** 32).toString()
const IS_SLOW = process.env['SLOW'] === '1'
const TRIALS = IS_SLOW ? 12_000 : 400
const TOTAL = 1_000_000n
/** A play is farther from its formula once in a million times. */
const DEVIATIONS = 5

function beaconOf(trial: number): bigint {
  const hash = createHash('sha256').update(`${SEED} ${trial}`).digest('hex')
  return BigInt(`0x${hash}`) >> 8n
}

describe(`an inflated total (seed ${SEED})`, () => {
  const draws = Array.from({ length: TRIALS }, (_, trial) => sampledUnits(beaconOf(trial), TOTAL))
  /** The share of beacons that draw no invented unit, when every hundred units hold so many invented ones. */
  const passesWith = (percent: bigint): number => {
    const passed = draws.filter((units) => units.every((unit) => unit % 100n >= percent))
    return passed.length / TRIALS
  }
  const isNear = (share: number, formula: number): boolean =>
    Math.abs(share - formula) <= DEVIATIONS * Math.sqrt((formula * (1 - formula)) / TRIALS)

  for (const [percent, most] of [
    [10n, 1],
    [20n, 0.08],
    [50n, 0.001],
  ] as const) {
    const formula = (1 - Number(percent) / 100) ** 12
    it(`of which ${percent} % is invented passes ${(100 * formula).toFixed(2)} times in 100`, () => {
      const share = passesWith(percent)
      assert.ok(formula <= most)
      assert.ok(isNear(share, formula) || share * TRIALS <= 2, `${share}`)
      if (IS_SLOW) assert.ok(share <= most, `${share}`)
    })
  }

  it('of which nothing is invented always passes', () => {
    assert.equal(passesWith(0n), 1)
  })
})
