/** What a win costs over a month of browsing as nodes of several sizes put it into batches: the figures of ADR 0023. Those of which playing takes longest only with `SLOW=1`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFigures } from '../tools/gas-month.ts'
import {
  batchGas,
  BROWSING_SEED,
  playBrowsing,
  playShared,
  sharedGas,
} from '../tools/play-browsing.ts'
import { playCompany } from '../tools/play-company.ts'

const gasOf = batchGas(readFigures())

/** GiB a day → thousands of gas; 115 were wanted. */
const WRITTEN = { 1: 255.2, 10: 239.9, 100: 190.2, 1000: 126.6, 4000: 103.3 } as const

test('a win costs a small home twice what was wanted, and a node that carries a TiB a day little more (ADR 0023)', () => {
  for (const [load, written] of Object.entries(WRITTEN)) {
    const { gas, wins } = playBrowsing(Number(load), BROWSING_SEED, gasOf)
    assert.ok(Math.abs(wins - 30 * Number(load)) < 6 * Math.sqrt(30 * Number(load)), 'half is lost')
    const change = Math.abs(gas / 1000 - written) / written
    assert.ok(change < 0.02, `${load} GiB a day: ${gas}, written ${written}k`)
  }
})

/** Homes that leave their wins with one redeemer, each of so many GiB a day; thousands of gas. */
const SHARED: readonly (readonly [homes: number, gibADay: number, written: number])[] = [
  [50, 10, 151.1],
  [50, 100, 113.8],
  ...(process.env['SLOW'] === '1'
    ? ([
        [50, 1, 228],
        [200, 10, 123.9],
        [400, 10, 117.3],
      ] as const)
    : []),
]

for (const [count, load, written] of SHARED)
  test(`${count} homes of ${load} GiB a day that leave their wins with one redeemer pay what is written, less than any of them alone (ADR 0023)`, () => {
    const homes = Array.from({ length: count }, () => load)
    const { gas, wins } = playShared(homes, BROWSING_SEED, sharedGas(readFigures()))
    const expected = 30 * count * load
    assert.ok(Math.abs(wins - expected) < 6 * Math.sqrt(expected))
    assert.ok(Math.abs(gas / 1000 - written) / written < 0.02, `${gas}`)
    const alone = new Map(Object.entries(WRITTEN)).get(`${load}`) ?? assert.fail()
    assert.ok(gas / 1000 < alone, `${alone}k alone`)
  })

test('ten nodes with coin that offer their binds to two redeemers pay a fifth less than each alone, and the redeemers gain (ADR 0023)', () => {
  const nodes = Array.from({ length: 10 }, () => 10)
  const { gas, paid, wins } = playCompany(nodes, 2, BROWSING_SEED, readFigures())
  assert.ok(Math.abs(wins - 3000) < 6 * Math.sqrt(3000))
  assert.ok(Math.abs(gas / 1000 - 179.3) / 179.3 < 0.02, `${gas}`)
  assert.ok(Math.abs(paid / 1000 - 188) / 188 < 0.02 && paid > gas, `${paid}`)
})

test('the same seed plays the same month, another one nearly the same', () => {
  const [one, again, other] = [15, 15, 16].map((seed) => playBrowsing(100, seed, gasOf))
  assert.deepEqual(one, again)
  const change = Math.abs((other?.gas ?? 0) / (one?.gas ?? 0) - 1)
  assert.ok(change > 0 && change < 0.05, `${change}`)
})

test('a batch of a size that was not measured lies between its neighbours', () => {
  const rows = readFigures()
  for (const kind of ['lock', 'bind', 'claim'] as const) {
    let before = 0
    for (let entries = 1; entries <= 16; entries++) {
      const gas = gasOf(kind, entries)
      assert.ok(gas > before, `${entries} ${kind}`)
      before = gas
    }
  }
  assert.equal(gasOf('lock', 16), rows.get('lock 16'))
})
