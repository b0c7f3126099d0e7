/** When what is due of an epoch's service proof (SPEC §17.5), by the contract's times. Pure. @module */
import type { ProofTimes } from '@byway/chain'

/** The chain's clock and the contract's times. */
export type Now = { readonly times: ProofTimes; readonly timeS: number }

/** How many epochs after its own a commitment may still need us: until its last answer is due, and one more to settle it. */
export function openEpochs(times: ProofTimes, epochS: number): number {
  const { commitWindowS, beaconDelayS, beaconSpacingS, beaconRounds } = times
  const drawnS = commitWindowS + beaconDelayS + beaconSpacingS * beaconRounds
  return Math.ceil((drawnS + times.challengeWindowS + times.answerWindowS) / epochS) + 1
}

/** When an epoch's first round begins, and its last one is over. */
export function roundsOf(
  epoch: number,
  epochS: number,
  { commitWindowS, beaconDelayS, beaconSpacingS, beaconRounds }: ProofTimes,
): { readonly firstS: number; readonly lastS: number } {
  const firstS = (epoch + 1) * epochS + commitWindowS + beaconDelayS
  return { firstS, lastS: firstS + beaconRounds * beaconSpacingS }
}

/**
 * When the round began in which one who draws so long after its beginning draws now; undefined before that, and when the last is over.
 *
 * @param delayS - at most a quarter of the time between rounds counts
 */
export function dueRoundS(
  epoch: number,
  epochS: number,
  { times, timeS }: Now,
  delayS: number,
): number | undefined {
  const { firstS, lastS } = roundsOf(epoch, epochS, times)
  if (timeS < firstS || timeS >= lastS) return undefined
  const { beaconSpacingS } = times
  const roundS = firstS + Math.floor((timeS - firstS) / beaconSpacingS) * beaconSpacingS
  return timeS < roundS + Math.min(delayS, beaconSpacingS / 4) ? undefined : roundS
}
