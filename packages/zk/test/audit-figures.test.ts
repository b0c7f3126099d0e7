/**
 * What the twelve samples of the service audit are worth (SPEC §17.3, DESIGN §7.3): how often an inflated total passes, played out beside the formula. The seed is printed, so that a bad
 * one can be played again with BYWAY_SEED. Of a play of 20 000 totals, 8 % and 0.1 % are more than six standard deviations from what the formula says (6.87 %, 0.024 %): more passes
 * less than once in a million runs unless the draw is wrong. `SLOW=1` plays ten times as many.
 */
import assert from 'node:assert/strict'
import { createHash, randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { AUDIT_SAMPLES } from '@byway/zk'
import { sampledUnit } from '../src/audit.ts'

const SEED = process.env['BYWAY_SEED'] ?? randomInt(2 ** 32).toString()
const TRIALS = process.env['SLOW'] === '1' ? 200_000 : 20_000
const TOTAL = 1_000_000n
/** A play is farther from its formula once in a million times. */
const DEVIATIONS = 5
/** Of so many invented in a hundred units, the share of plays that may pass at most. */
const GOALS = [
  [20n, 0.08],
  [50n, 0.001],
] as const
const LEAST_PERCENT = 20n

function beaconOf(trial: number): bigint {
  const hash = createHash('sha256').update(`${SEED} ${trial}`).digest('hex')
  return BigInt(`0x${hash}`) >> 8n
}

/** The lowest place within its hundred units of what a beacon draws; the invented ones are the first of each hundred. Ends where every goal has found one. */
function lowestPlace(beacon: bigint): bigint {
  let lowest = 100n
  for (let m = 0; m < AUDIT_SAMPLES && lowest >= LEAST_PERCENT; m++) {
    const place = sampledUnit(beacon, m, TOTAL) % 100n
    if (place < lowest) lowest = place
  }
  return lowest
}

describe(`an inflated total (seed ${SEED}, ${TRIALS} plays)`, () => {
  const places = Array.from({ length: TRIALS }, (_, trial) => lowestPlace(beaconOf(trial)))

  for (const [percent, most] of GOALS) {
    const formula = (1 - Number(percent) / 100) ** AUDIT_SAMPLES
    it(`of which ${percent} % is invented passes ${(100 * formula).toFixed(2)} times in 100`, (t) => {
      const share = places.filter((place) => place >= percent).length / TRIALS
      const deviation = Math.sqrt((formula * (1 - formula)) / TRIALS)
      t.diagnostic(`passed ${(100 * share).toFixed(3)} % ± ${(100 * deviation).toFixed(3)} %`)
      assert.ok(formula <= most && share <= most, `${share}`)
      // Of few that pass the numbers spread by Poisson's law: once in a million plays of five there are eighteen.
      const spread = Math.max(DEVIATIONS * deviation, 14 / TRIALS)
      assert.ok(Math.abs(share - formula) <= spread, `${share}`)
    })
  }
})
