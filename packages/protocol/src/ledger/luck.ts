/**
 * Expected beside realised. A ticket of amount `a` wins `V` with probability `a / V`: over `n` tickets the lottery pays Σ a on average with variance Σ a · (V − a), and what it paid differs from
 * that by luck alone. How far luck goes is said in two ways: one and two standard deviations, and the range in which 95 of 100 such periods end. With few wins the deviations mislead (nobody wins
 * less than nothing), so the range comes from the Poisson distribution of the number of wins.
 * @module
 */

/** What is compared, amounts in the token's smallest parts. */
export type LuckInput = {
  /** Σ a. */
  readonly expected: bigint
  /** Σ a · (V − a). */
  readonly variance: bigint
  /** What the wins came to. */
  readonly realised: bigint
  /** `V`, what one win pays. */
  readonly winAmount: bigint
}

/** How lucky a period was. */
export type Luck = {
  readonly expected: bigint
  readonly realised: bigint
  /** One standard deviation. */
  readonly deviation: bigint
  /** 95 of 100 such periods end within, bounds included. */
  readonly usualFrom: bigint
  readonly usualTo: bigint
  /** Σ a / V: how many wins were to be expected. */
  readonly expectedWins: number
  /** Realised less expected in standard deviations; undefined when there was nothing to win. */
  readonly sigmas: number | undefined
  /**
   * `none`: no tickets. `usual`: within the range. `low`, `high`: outside, which luck alone does to one period in twenty. `strange`: so far outside that luck does it to fewer than one in a hundred
   * thousand: look for a mistake or a cheat.
   */
  readonly judgement: 'none' | 'usual' | 'low' | 'high' | 'strange'
}

/** Compares. */
export function judgeLuck({ expected, variance, realised, winAmount }: LuckInput): Luck {
  const deviation = squareRoot(variance)
  const expectedWins = ratio(expected, winAmount)
  const difference = realised - expected
  const sigmas = deviation > 0n ? ratio(difference, deviation) : undefined
  const [from, to] = usualRange(expected, deviation, expectedWins, winAmount)
  const range = { usualFrom: from, usualTo: to }
  const sums = { expected, realised, deviation, ...range, expectedWins, sigmas }
  if (expected === 0n && realised === 0n) return { ...sums, judgement: 'none' }
  if (realised >= from && realised <= to) return { ...sums, judgement: 'usual' }
  const chance = tailChance(realised, expectedWins, sigmas, winAmount)
  if (chance < STRANGE) return { ...sums, judgement: 'strange' }
  return { ...sums, judgement: realised < from ? 'low' : 'high' }
}

/** The integer square root, rounded down. */
export function squareRoot(value: bigint): bigint {
  if (value < 2n) return value < 0n ? 0n : value
  let guess = 1n << BigInt((value.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (guess + value / guess) >> 1n
    if (next >= guess) return guess
    guess = next
  }
}

function usualRange(
  expected: bigint,
  deviation: bigint,
  expectedWins: number,
  winAmount: bigint,
): readonly [bigint, bigint] {
  if (expectedWins < FEW_WINS) {
    const [from, to] = poissonRange(expectedWins)
    return [BigInt(from) * winAmount, BigInt(to) * winAmount]
  }
  const reach = (deviation * 196n) / 100n
  return [expected > reach ? expected - reach : 0n, expected + reach]
}

/** The numbers of wins between which at least 95 of 100 periods end: at most 2.5 in 100 below, and above. */
function poissonRange(mean: number): readonly [number, number] {
  let chance = Math.exp(-mean)
  let sum = chance
  let wins = 0
  let from = sum > TAIL ? 0 : 1
  while (sum < 1 - TAIL) {
    wins++
    chance *= mean / wins
    sum += chance
    if (sum <= TAIL) from = wins + 1
  }
  return [from, wins]
}

/** About how often luck alone goes so far to that side. */
function tailChance(
  realised: bigint,
  expectedWins: number,
  sigmas: number | undefined,
  winAmount: bigint,
): number {
  const wins = ratio(realised, winAmount)
  if (expectedWins < FEW_WINS) return poissonTail(expectedWins, wins)
  const z = Math.abs(sigmas ?? 0)
  return Math.exp((-z * z) / 2) / (Math.max(z, 1) * Math.sqrt(2 * Math.PI))
}

function poissonTail(mean: number, wins: number): number {
  let chance = Math.exp(-mean)
  let below = 0
  let at = 0
  for (; at < wins; at++) {
    below += chance
    chance *= mean / (at + 1)
  }
  const upTo = below + chance
  return wins < mean ? upTo : Math.max(0, 1 - below)
}

/** a / b as a number, exact enough for people; 0 when b is 0. */
function ratio(a: bigint, b: bigint): number {
  if (b === 0n) return 0
  return Number((a * SCALE) / b) / Number(SCALE)
}

const SCALE = 1_000_000n
/** Below so many expected wins the number of wins is far from a bell curve. */
const FEW_WINS = 30
const TAIL = 0.025
const STRANGE = 1e-5
