/**
 * What times tell a hop (THREAT-MODEL, "The timing link that remains"): it sees purchases under slots and spending under circuits, and guesses for each circuit the slot that bought soonest
 * after it spent, again and again. Better than chance it may be: this says by how much, and fails when that grows.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { playPurchases, type PlayedHour, type Use } from './purchase-play.ts'

const SEED = Number(process.env['SEED'] ?? 2026)
const CLIENTS = 20
const HOURS = process.env['SLOW'] === '1' ? 20 : 3
/** How long after a token was spent a purchase still counts for the guess, ms: a good hop tries several. */
const WINDOWS_MS = [2000, 5000, 20_000, 60_000]

/** Of circuits of browsing: an eighth was measured, where chance gives a twentieth. */
const MOST_BROWSING = 0.2
const LEAST_DOWNLOADS = 0.5
const LEAST_FIRST = 2 / CLIENTS

type Guesses = Readonly<Record<Use, { right: number; all: number }>>

/** The slot whose purchases come after this circuit's spending more than after any moment. */
function guess({ purchases }: PlayedHour, spends: readonly number[], windowMs: number): number {
  const hourMs = 3_600_000
  const scores = purchases.map((times) => {
    const after = times.filter((at) =>
      spends.some((spent) => at > spent && at <= spent + windowMs),
    ).length
    // Of as many moments drawn by chance so many would.
    const covered = Math.min(1, (spends.length * windowMs) / hourMs)
    const expected = times.length * covered
    return (after - expected) / Math.sqrt(expected + 1e-9)
  })
  return scores.indexOf(Math.max(...scores))
}

/** A circuit that follows a slot's first purchase here: the slot that came last before it. */
function guessFirst({ purchases }: PlayedHour, [begun = 0]: readonly number[]): number {
  const firsts = purchases.map(([first = Infinity]) => (first <= begun ? first : -Infinity))
  return firsts.indexOf(Math.max(...firsts))
}

function judge(hour: PlayedHour, windowMs: number, guesses: Guesses): void {
  for (const { client, use, spends } of hour.circuits) {
    guesses[use].all++
    const guessed = use === 'first' ? guessFirst(hour, spends) : guess(hour, spends, windowMs)
    if (guessed === client) guesses[use].right++
  }
}

test(`a hop's guess by time alone is right for an eighth of the circuits of browsing, and for most downloads (seed ${SEED})`, async (t) => {
  const hours: PlayedHour[] = []
  for (let i = 0; i < HOURS; i++) hours.push(await playPurchases(CLIENTS, SEED + i))
  const best: Record<Use, number> = { first: 0, browsing: 0, download: 0 }
  for (const windowMs of WINDOWS_MS) {
    const none = () => ({ right: 0, all: 0 })
    const guesses: Guesses = { first: none(), browsing: none(), download: none() }
    for (const hour of hours) judge(hour, windowMs, guesses)
    for (const use of ['first', 'browsing', 'download'] as const) {
      const { right, all } = guesses[use]
      best[use] = Math.max(best[use], right / all)
      t.diagnostic(`${use}, within ${windowMs / 1000} s: ${right} of ${all}`)
    }
  }
  const bought = hours.flatMap(({ purchases }) => purchases.flat()).length
  t.diagnostic(`${bought} batches in ${HOURS} hours, ${CLIENTS} clients: by chance 1 in ${CLIENTS}`)
  assert.ok(bought > HOURS * CLIENTS, 'nobody bought')
  assert.ok(best.browsing < MOST_BROWSING, `${best.browsing} of browsing`)
  // The guess is a good one: where THREAT-MODEL says that times tell, they do.
  assert.ok(best.download > LEAST_DOWNLOADS, `${best.download} of downloads`)
  assert.ok(best.first > LEAST_FIRST, `${best.first} of first circuits`)
})
